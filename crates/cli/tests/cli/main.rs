//! The program from outside: one binary for all tests that may run beside each other, since each binary
//! links the whole program's dependencies.
//!
//! A test that changes what its whole process shares, such as a variable, a limit or the current folder,
//! needs a binary of its own.

mod ask;
mod bad_input;
mod chaos;
mod compare;
mod confirm;
mod confirm_run;
mod departures;
mod exchange;
mod fail_on;
mod faults;
mod gpu;
mod grpc;
mod guides;
mod hosts;
mod init;
mod manual;
mod objectives;
mod python;
mod report;
mod reuse;
mod rows;
mod run;
mod sampler;
mod secrets;
mod share;
mod sources;
mod support;
mod train;
mod transfer;
mod trust;
mod workers;
