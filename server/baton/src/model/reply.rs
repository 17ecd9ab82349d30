//! What the replies of all wires have in common: their bounds, and names for calls that have none.

use super::retry::Fault;
use team::{Code, Failure};

/// Text, arguments and all else that a reply may hold.
pub(super) const CONTENT_BYTES_MAX: usize = 8 * 1024 * 1024;
pub(super) const BLOCKS_MAX: usize = 1_024;
pub(super) const BUSY: &str = "the provider is overloaded or limits this key: wait, then try again";

pub(super) fn too_large() -> Fault {
    let mib = CONTENT_BYTES_MAX / 1024 / 1024;
    let text = format!("the reply is larger than {mib} MiB");
    Fault::Final(Failure::new(Code::Model, text).hint("lower max_output_tokens in [model]"))
}

/// The id of a call that came without one, unique in its conversation: `place` is the number of
/// messages before the reply. Nine letters and digits, since some servers take no other form.
pub(super) fn fresh_id(place: usize, nth: usize) -> String {
    format!("b{:05}{:03}", place % 100_000, nth % 1_000)
}
