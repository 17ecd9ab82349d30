//! The command line's door: the real binary, in a world of its own.

mod bench;
mod garbage;
mod help;
mod look;
mod person;
mod setup;
mod tasks;
pub mod terminal;
pub mod world;
