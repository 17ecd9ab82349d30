//! The life of a task, story by story.

mod gates;
mod landing;
mod person;
mod work;
