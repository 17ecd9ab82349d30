//! Properties of the code and the docs. What docs/style.md can state as a rule is checked here, each
//! rule by one test that says which line breaks it and what to do; and each rule is shown a sample
//! that it must notice, so that it cannot go blind unseen.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod arms;
mod docs;
mod layers;
mod lexer;
mod names;
mod outside;
mod placeholders;
mod prompts;
mod readme;
mod refusals;
mod size;
mod supply;
mod tree;

/// Fails with every finding at once, and with what to do about them.
#[track_caller]
fn none(found: Vec<String>, what_to_do: &str) {
    assert!(found.is_empty(), "\n{}\n=> {what_to_do}\n", found.join("\n"));
}
