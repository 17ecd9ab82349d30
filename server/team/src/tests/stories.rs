//! The life of a task, story by story.

mod gates;
mod hunks;
mod landing;
mod moved_tip;
mod person;
mod routing;
mod trust;
mod way;
mod work;
