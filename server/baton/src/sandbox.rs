//! How any command is started.
