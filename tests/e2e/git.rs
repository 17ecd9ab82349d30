//! The git module against the real `git` command, in repositories made for each test.

mod crashes;
mod hostile;
mod landings;
mod places;
mod reviews;
mod slots;
mod snapshots;
mod undoing;
mod world;
