//! Tests of the service with a client of the same protocol, over SQLite in a file and in memory and over
//! PostgreSQL.

mod calls;
mod client;
mod damaged;
mod refusals;
