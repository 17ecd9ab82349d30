//! Real VS Code with the extension: types and style, units, its API from inside, and one way of a person in
//! a window. What drives it is JavaScript, in `vscode/`; here it is started, under time limits.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};

const QUICK_S_MAX: &str = "240";
const STORY_S_MAX: &str = "420";

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn tools() -> PathBuf {
    let target = Path::new(env!("CARGO_BIN_EXE_baton")).ancestors().nth(2).unwrap();
    target.join("test-tools")
}

/// What `tests/tools/install.sh vscode` puts in its place, and a browser.
fn is_there() -> bool {
    let pieces = ["vscode.stamp", "vscode-server.stamp"].map(|it| tools().join(it));
    let modules = here().join("editors/vscode/node_modules/esbuild");
    let browser = std::env::var("CHROMIUM").unwrap_or("/usr/bin/chromium".into());
    let all = pieces.iter().all(|it| it.exists()) && modules.exists();
    if all && Path::new(&browser).exists() {
        return true;
    }
    let required = std::env::var("BATON_TEST_REQUIRE").is_ok_and(|it| it == "all");
    assert!(!required, "VS Code is required: chromium, and tests/tools/install.sh vscode");
    println!("skipped: no VS Code; install chromium, and run tests/tools/install.sh vscode");
    false
}

/// Runs `node` in a folder of the tree; its output, where it ends well in time.
fn node(folder: &str, seconds_max: &str, args: &[&str]) -> String {
    let mut command = Command::new("timeout");
    command.args(["--kill-after=10", seconds_max, "node"]).args(args);
    command.current_dir(here().join(folder)).env("BATON_TEST_TOOLS", tools());
    let done = command.output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{args:?}: {}\n{out}\n{err}", done.status);
    out.into_owned()
}

/// The extension, built, for as long as the guard is held: two tests build it in one folder, and each alone
/// asks much of the machine.
pub fn ready() -> Option<MutexGuard<'static, ()>> {
    static ALONE: Mutex<()> = Mutex::new(());
    is_there().then(|| {
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        node("editors/vscode", QUICK_S_MAX, &["build.mjs", "--tests"]);
        alone
    })
}

/// One after the other: each alone asks much of the machine.
#[test]
fn the_extension_works_in_vs_code() {
    let Some(_alone) = ready() else { return };
    let extension = "editors/vscode";
    node(extension, QUICK_S_MAX, &["node_modules/typescript/bin/tsc", "--noEmit"]);
    node(extension, QUICK_S_MAX, &["node_modules/eslint/bin/eslint.js", "."]);
    node(extension, QUICK_S_MAX, &["--test", "test/unit/all.test.mjs"]);
    let baton = env!("CARGO_BIN_EXE_baton");
    let said = node("tests/editors/vscode", STORY_S_MAX, &["host.mjs", baton]);
    assert!(said.contains(" passed, 0 failed"), "{said}");
    let place = tools().parent().unwrap().join("vscode-pictures");
    let vsix = place.with_file_name("baton.vsix");
    let (vsix, place) = (vsix.to_str().unwrap(), place.to_str().unwrap());
    let packaged = ["package.mjs", "--server", baton, "--out", vsix];
    node(extension, QUICK_S_MAX, &packaged);
    let said = node("tests/editors/vscode", STORY_S_MAX, &["journey.mjs", vsix, place]);
    assert!(said.contains("killed, and back on the right board"), "{said}");
}
