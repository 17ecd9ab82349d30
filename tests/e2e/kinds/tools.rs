//! The runners that `tests/tools/install.sh` installs, and where they are.

use crate::foreign::server::is_missing;
use std::path::{Path, PathBuf};

fn installed() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("test-tools")
}

/// Where JavaScript's packages are.
pub fn modules() -> PathBuf {
    installed().join("js/node_modules")
}

/// Folders for `PATH`. `None`: this tool is missing, and the test is skipped.
#[track_caller]
pub fn need(tool: &str) -> Option<Vec<PathBuf>> {
    let runners = installed().join("runners/bin");
    let on_path = || {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).any(|it| it.join(tool).is_file())
    };
    let is_there = match tool {
        "pytest" | "go" | "just" | "python3" => runners.join(tool).is_file(),
        "vitest" | "jest" | "pnpm" | "yarn" => modules().join(".bin").join(tool).exists(),
        _ => on_path(),
    };
    if is_missing(tool, is_there, "run tests/tools/install.sh") {
        return None;
    }
    let mut dirs = match tool {
        "pnpm" | "yarn" => vec![modules().join(".bin")],
        _ => vec![runners.clone()],
    };
    // Where the real interpreter is, so that the sandbox shows it.
    let real = runners.join("python3").canonicalize().ok();
    dirs.extend(real.and_then(|it| Some(it.parent()?.to_path_buf())));
    Some(dirs)
}
