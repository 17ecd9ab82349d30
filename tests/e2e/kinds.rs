//! Projects of every kind: small real ones, with their own runners, in the sandbox; and a whole task
//! landed in each.

mod land;
mod look;
mod needs;
mod projects;
mod tools;
