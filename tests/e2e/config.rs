//! Configuration and trust, as a person meets them.
