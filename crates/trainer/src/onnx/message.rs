//! Messages of ONNX's file format (`onnx.proto`), reduced to the fields that the export writes.

use prost::Message;

/// Element type of a tensor, as `TensorProto.DataType` numbers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Element {
    /// A number in single precision.
    Single = 1,
    /// A whole number of 64 bits.
    Whole = 7,
    /// A number in double precision.
    Double = 11,
}

impl Element {
    /// Returns the element type with this number, if the export writes it.
    pub(super) fn of(number: i64) -> Option<Self> {
        [Self::Single, Self::Whole, Self::Double].into_iter().find(|element| *element as i64 == number)
    }
}

/// Number of `AttributeProto.AttributeType` for a number in single precision.
const FLOAT: i32 = 1;
/// Number of `AttributeProto.AttributeType` for a whole number.
const INT: i32 = 2;
/// Number of `AttributeProto.AttributeType` for a list of whole numbers.
const INTS: i32 = 7;

/// A file: a graph and what it needs.
#[derive(Clone, PartialEq, Message)]
pub(super) struct ModelProto {
    #[prost(int64, tag = "1")]
    pub(super) ir_version: i64,
    #[prost(string, tag = "2")]
    pub(super) producer_name: String,
    #[prost(string, tag = "3")]
    pub(super) producer_version: String,
    #[prost(string, tag = "6")]
    pub(super) doc_string: String,
    #[prost(message, optional, tag = "7")]
    pub(super) graph: Option<GraphProto>,
    #[prost(message, repeated, tag = "8")]
    pub(super) opset_import: Vec<OperatorSetIdProto>,
    #[prost(message, repeated, tag = "14")]
    pub(super) metadata_props: Vec<StringStringEntryProto>,
}

/// Version of the operators.
#[derive(Clone, PartialEq, Message)]
pub(super) struct OperatorSetIdProto {
    #[prost(string, tag = "1")]
    pub(super) domain: String,
    #[prost(int64, tag = "2")]
    pub(super) version: i64,
}

/// An entry of the metadata.
#[derive(Clone, PartialEq, Message)]
pub(super) struct StringStringEntryProto {
    #[prost(string, tag = "1")]
    pub(super) key: String,
    #[prost(string, tag = "2")]
    pub(super) value: String,
}

/// Operators in an order in which they can be computed, and constant tensors.
#[derive(Clone, PartialEq, Message)]
pub(super) struct GraphProto {
    #[prost(message, repeated, tag = "1")]
    pub(super) node: Vec<NodeProto>,
    #[prost(string, tag = "2")]
    pub(super) name: String,
    #[prost(message, repeated, tag = "5")]
    pub(super) initializer: Vec<TensorProto>,
    #[prost(message, repeated, tag = "11")]
    pub(super) input: Vec<ValueInfoProto>,
    #[prost(message, repeated, tag = "12")]
    pub(super) output: Vec<ValueInfoProto>,
}

/// An operator with the names of its inputs and outputs.
#[derive(Clone, PartialEq, Message)]
pub(super) struct NodeProto {
    #[prost(string, repeated, tag = "1")]
    pub(super) input: Vec<String>,
    #[prost(string, repeated, tag = "2")]
    pub(super) output: Vec<String>,
    #[prost(string, tag = "3")]
    pub(super) name: String,
    #[prost(string, tag = "4")]
    pub(super) op_type: String,
    #[prost(message, repeated, tag = "5")]
    pub(super) attribute: Vec<AttributeProto>,
}

/// An attribute of an operator.
#[derive(Clone, PartialEq, Message)]
pub(super) struct AttributeProto {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(float, optional, tag = "2")]
    pub(super) f: Option<f32>,
    #[prost(int64, optional, tag = "3")]
    pub(super) i: Option<i64>,
    #[prost(int64, repeated, packed = "false", tag = "8")]
    pub(super) ints: Vec<i64>,
    #[prost(int32, tag = "20")]
    pub(super) r#type: i32,
}

/// A constant tensor. Its numbers are in `raw_data`, little-endian and row-major.
#[derive(Clone, PartialEq, Message)]
pub(super) struct TensorProto {
    #[prost(int64, repeated, packed = "false", tag = "1")]
    pub(super) dims: Vec<i64>,
    #[prost(int32, tag = "2")]
    pub(super) data_type: i32,
    #[prost(string, tag = "8")]
    pub(super) name: String,
    #[prost(bytes = "vec", tag = "9")]
    pub(super) raw_data: Vec<u8>,
}

/// Name and type of an input or output.
#[derive(Clone, PartialEq, Message)]
pub(super) struct ValueInfoProto {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(message, optional, tag = "2")]
    pub(super) r#type: Option<TypeProto>,
    #[prost(string, tag = "3")]
    pub(super) doc_string: String,
}

/// Type of an input or output.
#[derive(Clone, PartialEq, Message)]
pub(super) struct TypeProto {
    #[prost(message, optional, tag = "1")]
    pub(super) tensor_type: Option<TensorTypeProto>,
}

/// Element type and shape of a tensor.
#[derive(Clone, PartialEq, Message)]
pub(super) struct TensorTypeProto {
    #[prost(int32, tag = "1")]
    pub(super) elem_type: i32,
    #[prost(message, optional, tag = "2")]
    pub(super) shape: Option<TensorShapeProto>,
}

/// Shape of a tensor.
#[derive(Clone, PartialEq, Message)]
pub(super) struct TensorShapeProto {
    #[prost(message, repeated, tag = "1")]
    pub(super) dim: Vec<DimensionProto>,
}

/// Size of a tensor along one of its axes: a number, or a name for any number.
#[derive(Clone, PartialEq, Message)]
pub(super) struct DimensionProto {
    #[prost(oneof = "Dimension", tags = "1, 2")]
    pub(super) value: Option<Dimension>,
}

/// See [`DimensionProto`].
#[derive(Clone, PartialEq, prost::Oneof)]
pub(super) enum Dimension {
    /// A fixed size.
    #[prost(int64, tag = "1")]
    Size(i64),
    /// The name of a size that differs from call to call.
    #[prost(string, tag = "2")]
    Any(String),
}

impl AttributeProto {
    /// Returns an attribute with a number.
    pub(super) fn float(name: &str, f: f32) -> Self {
        Self { name: name.into(), f: Some(f), r#type: FLOAT, ..Self::default() }
    }

    /// Returns an attribute with a whole number.
    pub(super) fn int(name: &str, i: i64) -> Self {
        Self { name: name.into(), i: Some(i), r#type: INT, ..Self::default() }
    }

    /// Returns an attribute with a list of whole numbers.
    pub(super) fn ints(name: &str, ints: &[i64]) -> Self {
        Self { name: name.into(), ints: ints.to_vec(), r#type: INTS, ..Self::default() }
    }
}

impl ValueInfoProto {
    /// Returns a tensor in single precision with any number of windows, and these further sizes.
    pub(super) fn windows(name: &str, sizes: &[usize], about: &str) -> Self {
        let fixed = sizes.iter().map(|&size| Dimension::Size(size as i64));
        let dim = std::iter::once(Dimension::Any("windows".into()))
            .chain(fixed)
            .map(|value| DimensionProto { value: Some(value) })
            .collect();
        let shape = Some(TensorShapeProto { dim });
        let tensor_type = Some(TensorTypeProto { elem_type: Element::Single as i32, shape });
        Self { name: name.into(), r#type: Some(TypeProto { tensor_type }), doc_string: about.into() }
    }
}
