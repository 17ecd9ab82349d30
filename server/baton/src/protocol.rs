//! Wire types: all that editors see.
