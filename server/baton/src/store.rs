//! Append, replay, journal, migrate: the only user of rusqlite.
