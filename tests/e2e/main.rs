//! e2e tests.

mod git;
