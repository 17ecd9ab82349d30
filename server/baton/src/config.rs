//! What the user and the workspace configured, and what is trusted.
