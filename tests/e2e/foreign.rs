//! The real binary as a stranger runs it: on repositories of theirs, with a model behind a server that
//! we do not know, and with the person's own text in the way.

mod answers;
mod chat;
mod crate_story;
mod own_text;
mod places;
pub mod server;
mod unsaved;
mod weather;
pub mod world;
