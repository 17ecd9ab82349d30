//! Runs the project's own checks and reports what it saw.
