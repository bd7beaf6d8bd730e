//! Messages of the protocol. Calls with equal messages share one type here, because the name of a message
//! is not sent.

#![allow(clippy::struct_field_names, reason = "the fields have the protocol's names")]

use std::collections::HashMap;

/// Empty request or reply.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(crate) struct Nothing {}

/// Id of a study or trial.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(crate) struct Id {
    #[prost(int64, tag = "1")]
    pub(crate) id: i64,
}

/// Name of a study.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Name {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct NewStudy {
    #[prost(int32, repeated, tag = "1")]
    pub(crate) directions: Vec<i32>,
    #[prost(string, tag = "2")]
    pub(crate) study_name: String,
}

/// Attribute of a study or trial.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Attribute {
    #[prost(int64, tag = "1")]
    pub(crate) id: i64,
    #[prost(string, tag = "2")]
    pub(crate) key: String,
    #[prost(string, tag = "3")]
    pub(crate) value: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Directions {
    #[prost(int32, repeated, tag = "1")]
    pub(crate) directions: Vec<i32>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Attributes {
    #[prost(map = "string, string", tag = "1")]
    pub(crate) attributes: HashMap<String, String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Study {
    #[prost(int64, tag = "1")]
    pub(crate) study_id: i64,
    #[prost(string, tag = "2")]
    pub(crate) study_name: String,
    #[prost(int32, repeated, tag = "3")]
    pub(crate) directions: Vec<i32>,
    #[prost(map = "string, string", tag = "4")]
    pub(crate) user_attributes: HashMap<String, String>,
    #[prost(map = "string, string", tag = "5")]
    pub(crate) system_attributes: HashMap<String, String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Studies {
    #[prost(message, repeated, tag = "1")]
    pub(crate) studies: Vec<Study>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Trial {
    #[prost(int64, tag = "1")]
    pub(crate) trial_id: i64,
    #[prost(int64, tag = "2")]
    pub(crate) number: i64,
    #[prost(int32, tag = "3")]
    pub(crate) state: i32,
    #[prost(double, repeated, tag = "4")]
    pub(crate) values: Vec<f64>,
    #[prost(string, tag = "5")]
    pub(crate) datetime_start: String,
    #[prost(string, tag = "6")]
    pub(crate) datetime_complete: String,
    #[prost(map = "string, double", tag = "7")]
    pub(crate) params: HashMap<String, f64>,
    #[prost(map = "string, string", tag = "8")]
    pub(crate) distributions: HashMap<String, String>,
    #[prost(map = "string, string", tag = "9")]
    pub(crate) user_attributes: HashMap<String, String>,
    #[prost(map = "string, string", tag = "10")]
    pub(crate) system_attributes: HashMap<String, String>,
    #[prost(map = "int64, double", tag = "11")]
    pub(crate) intermediate_values: HashMap<i64, f64>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct NewTrial {
    #[prost(int64, tag = "1")]
    pub(crate) study_id: i64,
    #[prost(message, optional, tag = "2")]
    pub(crate) template_trial: Option<Trial>,
    #[prost(bool, tag = "3")]
    pub(crate) template_trial_is_none: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Parameter {
    #[prost(int64, tag = "1")]
    pub(crate) trial_id: i64,
    #[prost(string, tag = "2")]
    pub(crate) param_name: String,
    #[prost(double, tag = "3")]
    pub(crate) param_value_internal: f64,
    #[prost(string, tag = "4")]
    pub(crate) distribution: String,
}

#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(crate) struct TrialNumber {
    #[prost(int64, tag = "1")]
    pub(crate) study_id: i64,
    #[prost(int64, tag = "2")]
    pub(crate) trial_number: i64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct StateValues {
    #[prost(int64, tag = "1")]
    pub(crate) trial_id: i64,
    #[prost(int32, tag = "2")]
    pub(crate) state: i32,
    #[prost(double, repeated, tag = "3")]
    pub(crate) values: Vec<f64>,
}

#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(crate) struct Updated {
    #[prost(bool, tag = "1")]
    pub(crate) trial_updated: bool,
}

#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(crate) struct IntermediateValue {
    #[prost(int64, tag = "1")]
    pub(crate) trial_id: i64,
    #[prost(int64, tag = "2")]
    pub(crate) step: i64,
    #[prost(double, tag = "3")]
    pub(crate) intermediate_value: f64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct TrialsWanted {
    #[prost(int64, tag = "1")]
    pub(crate) study_id: i64,
    #[prost(int64, repeated, tag = "2")]
    pub(crate) included_trial_ids: Vec<i64>,
    #[prost(int64, tag = "3")]
    pub(crate) trial_id_greater_than: i64,
}
