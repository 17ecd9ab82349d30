//! e2e tests.

mod config;
mod store;
