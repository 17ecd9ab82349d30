//! The providers' wire clients.
