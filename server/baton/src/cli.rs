//! The command line's door.
