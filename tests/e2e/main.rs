//! The story tests: the real binary, real git, real HTTP servers.

mod config;
mod git;
mod lsp;
mod sandbox;
mod store;
