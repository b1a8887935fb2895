//! Production logging and monitoring for Rust services.
