//! Real editors, driven as a person drives them.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "what was skipped, and why")]

mod clients;
#[path = "../e2e/lsp/desk.rs"]
mod desk;
mod doors;
mod nvim;
#[path = "../e2e/story.rs"]
mod story;
mod vscode;
