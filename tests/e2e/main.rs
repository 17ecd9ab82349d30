//! The story tests: the real binary, real git, real HTTP servers.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "what was measured, and the seeds")]

mod agent;
mod budget;
mod checks;
mod cli;
mod config;
mod crash;
mod daemon;
mod demo;
mod foreign;
mod formats;
mod git;
mod hunks;
mod kinds;
mod liars;
mod lsp;
mod made;
mod model;
mod roles;
mod safe;
mod sandbox;
mod say;
mod slots;
mod store;
mod story;
mod words;
