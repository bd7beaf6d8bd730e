//! Tests specific to PostgreSQL: servers that go away, and servers that refuse connections.

mod cut;
mod killed;
mod refused;
mod tls;
