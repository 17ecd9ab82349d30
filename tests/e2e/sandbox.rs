//! Commands in the sandbox: what they must not be able to do, what must work, how they end, and that
//! nothing runs when the sandbox is missing or broken.

mod broken;
mod calls;
mod endings;
mod files;
pub mod lab;
mod table;
mod weak;
mod work;
