//! A test is a script of what happened and a transcript of what followed. No test names an API but
//! those in this file. `random.rs` throws anything at the team and states what always holds.

mod random;
pub(crate) mod script;
mod stories;
