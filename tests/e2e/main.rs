//! e2e tests.
mod sandbox;
