//! What Baton defends, as whole stories: secrets in every sink, a model that obeys a repository's
//! text, hostile repositories that are merely opened, the reduced level, and why an approval was asked.

mod explained;
mod injected;
mod opened;
mod secrets;
