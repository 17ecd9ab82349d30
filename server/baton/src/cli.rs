//! The command line's door.

mod args;
mod narrate;
mod person;
mod screen;
