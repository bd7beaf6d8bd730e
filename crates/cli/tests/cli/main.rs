//! Tests of the program from outside. Tests that may run in parallel are in this binary, because each binary
//! links all dependencies of the program; a test that changes state of its process, such as a variable, a
//! limit or the current folder, needs a binary of its own.

mod ask;
mod bad_input;
mod chaos;
mod check;
mod compare;
mod conclusion;
mod confirm;
mod confirm_run;
mod coordinates;
mod data;
mod departures;
mod exchange;
mod fail_on;
mod faults;
mod fit;
mod gpu;
mod grpc;
mod guides;
mod hosts;
mod init;
mod labels;
mod manual;
mod missing;
mod objectives;
mod onnx;
mod panel;
mod plan;
mod python;
mod pytorch;
mod report;
mod reuse;
mod rows;
mod run;
mod sampler;
mod secrets;
mod share;
mod source_objectives;
mod sources;
mod support;
mod times;
mod train;
mod transfer;
mod trust;
mod workers;
