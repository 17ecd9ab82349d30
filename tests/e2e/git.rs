//! The git module against the real `git` command, in repositories made for each test.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod crashes;
mod glances;
mod hostile;
mod including;
mod judge;
mod kinds;
mod landings;
mod parts;
mod places;
mod refused;
mod reviews;
mod slots;
mod snapshots;
mod sparse;
mod sweeping;
mod undoing;
mod world;
