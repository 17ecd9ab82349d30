//! Anthropic's Messages API: what a question and a reply look like there.

pub(super) mod reply;
pub(super) mod request;

pub(super) use reply::Assembly;

/// The version of the wire that every request names.
pub(super) const VERSION: &str = "2023-06-01";
