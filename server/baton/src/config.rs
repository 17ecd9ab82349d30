//! What the user and the workspace configured, and what is trusted.

mod model;

pub use model::{KeySource, MODEL_KEYS, ModelConfig, Prices, Provider};
