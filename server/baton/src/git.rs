//! Snapshot, slots, commit, diff, merge, landing: the only user of git2.
