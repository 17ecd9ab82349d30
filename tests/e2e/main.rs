//! The story tests: the real binary, real git, real HTTP servers.

mod config;
mod sandbox;
mod store;
//! e2e tests.

mod git;
