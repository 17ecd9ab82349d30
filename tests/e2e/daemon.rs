//! The daemon: the real binary three times over, as an editor's proxy, as commands, and as the process
//! behind them.

pub mod den;
mod kills;
mod life;
mod panics;
mod tasks;
mod wire;
