//! Baton, as a library for its own binary, tests and benchmarks. It promises nothing to others.
//!
//! Direction: `main -> {lsp, cli, daemon} -> hub -> {agent, checks, git, store, socket} -> {model,
//! sandbox} -> {protocol, config} -> team`. A module names only what stands to its right; those in one brace do
//! not know each other, the hub joins them. `fail` and `clean` are below everything.

pub mod agent;
pub mod checks;
pub mod clean;
pub mod cli;
pub mod config;
pub mod daemon;
pub mod fail;
pub mod git;
pub mod hub;
pub mod lsp;
pub mod model;
pub mod protocol;
pub mod sandbox;
pub mod socket;
pub mod store;
