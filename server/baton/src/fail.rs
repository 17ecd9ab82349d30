//! Points at which a test may kill this process with SIGKILL, and places where it may play a bug.
//! Without the `failpoints` feature, which only the tests turn on, both are nothing.
//!
//! `BATON_FAIL_AT=N` kills at the N-th point passed; `BATON_FAIL_LOG=FILE` writes the name of every
//! point passed, a line each.

/// A boundary: before or after an append or an outside effect.
#[cfg(not(feature = "failpoints"))]
#[inline(always)]
pub fn point(_name: &str) {}

/// A boundary: before or after an append or an outside effect.
#[cfg(feature = "failpoints")]
pub fn point(name: &str) {
    use std::io::Write;
    use std::sync::atomic::{AtomicU64, Ordering};
    static PASSED: AtomicU64 = AtomicU64::new(0);
    let n = PASSED.fetch_add(1, Ordering::SeqCst) + 1;
    if let Some(path) = std::env::var_os("BATON_FAIL_LOG") {
        let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
        let _ = file.and_then(|mut it| writeln!(it, "{name}"));
    }
    let at = std::env::var("BATON_FAIL_AT").ok().and_then(|it| it.parse::<u64>().ok());
    if at == Some(n) {
        let _ =
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
        loop {
            std::thread::park();
        }
    }
}

/// A place where a bug is played: `BATON_PANIC_AT=NAME` panics at the first pass of it, once.
#[cfg(not(feature = "failpoints"))]
#[inline(always)]
pub fn bug(_name: &str) {}

/// A place where a bug is played: `BATON_PANIC_AT=NAME` panics at the first pass of it, once.
#[cfg(feature = "failpoints")]
pub fn bug(name: &str) {
    use std::sync::atomic::{AtomicBool, Ordering};
    static PLAYED: AtomicBool = AtomicBool::new(false);
    let is_here = std::env::var_os("BATON_PANIC_AT").is_some_and(|it| it == name);
    if is_here && !PLAYED.swap(true, Ordering::SeqCst) {
        panic!("a bug that a test asked for at {name}");
    }
}
