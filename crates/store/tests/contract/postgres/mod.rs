//! What is PostgreSQL's own: servers that go away, and servers that let nobody in.

mod cut;
mod killed;
mod refused;
mod tls;
