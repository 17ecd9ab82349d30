//! The editor's door: the real binary, spoken to as an editor does.

pub mod client;
mod desk;
mod document;
mod insight;
mod manners;
mod meetings;
mod panels;
mod story;
mod wire;
