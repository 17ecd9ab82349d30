//! The plugin in a real Neovim: what it does with what a server says, a person's way from a code action to
//! a landed change with the screens on it, the same in a terminal with Neovim killed in the middle.

use super::desk::Desk;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

mod terminal;

/// The longest story takes half a minute on an idle machine.
const STORY_S_MAX: &str = "420";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn installed(path: &str) -> Option<PathBuf> {
    let target = Path::new(env!("CARGO_BIN_EXE_baton")).ancestors().nth(2)?;
    let installed = target.join("test-tools").join(path);
    installed.exists().then_some(installed)
}

fn on_path(name: &str) -> Option<PathBuf> {
    let all = std::env::var_os("PATH")?;
    std::env::split_paths(&all).map(|it| it.join(name)).find(|it| it.is_file())
}

/// What a test borrows; without it the test is skipped, unless everything is required.
fn needed(tool: Option<PathBuf>, how: &str) -> Option<PathBuf> {
    let all = std::env::var("BATON_TEST_REQUIRE").is_ok_and(|it| it == "all");
    assert!(tool.is_some() || !all, "required: {how}");
    if tool.is_none() {
        println!("skipped: {how}");
    }
    tool
}

/// `$BATON_TEST_NVIM`, or what `tests/tools/install.sh nvim` put in its place.
pub fn neovim() -> Option<PathBuf> {
    let named = std::env::var_os("BATON_TEST_NVIM").map(PathBuf::from);
    needed(named.or_else(|| installed("nvim/bin/nvim")), "run tests/tools/install.sh nvim")
}

/// Runs one of our Lua scripts in Neovim, at a desk.
fn run_lua(nvim: &Path, desk: &Desk, script: &str, args: &[&str]) -> Output {
    let mut command = Command::new("timeout");
    command.args(["--kill-after=5", STORY_S_MAX]).arg(nvim);
    command.args(["--clean", "--headless", "-n", "-u", "NONE", "-l"]);
    command.arg(root().join("tests/editors/nvim").join(script)).arg(root().join("editors/nvim"));
    command.args(args).current_dir(&desk.root);
    desk.isolate(&mut command);
    if let Some(update) = std::env::var_os("UPDATE") {
        command.env("UPDATE", update);
    }
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).output().unwrap()
}

fn succeeded(done: &Output) -> String {
    let (out, err) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{}\n{out}\n{err}", done.status);
    out.into_owned()
}

#[test]
fn what_the_plugin_does_with_what_a_server_says() {
    let Some(nvim) = neovim() else { return };
    let out = succeeded(&run_lua(&nvim, &Desk::new(), "suite.lua", &[]));
    assert!(out.contains(" passed, 0 failed"), "{out}");
}

#[test]
fn a_person_goes_from_a_code_action_to_a_landed_change_by_keys() {
    let Some(nvim) = neovim() else { return };
    let desk = Desk::new();
    let screens = root().join("docs/screens").display().to_string();
    let binary = env!("CARGO_BIN_EXE_baton");
    succeeded(&run_lua(&nvim, &desk, "story.lua", &[binary, &screens]));
    let landed = desk.git(&["show", "--stat", "--format=%an%n%B", "HEAD"]);
    assert!(landed.starts_with("Person\n"), "{landed}");
    assert!(landed.contains("Baton-Task: T1"), "{landed}");
    assert!(desk.read("src/lib.rs").contains("unwrap_or_default"));
    assert_eq!(desk.read("notes.md"), "# Notes\n", "unsaved text stays in the editor");
    let seen = desk.store(&["log", "--all", "--format=%H"]);
    let holds = |commit: &str| {
        let tree = desk.store(&["ls-tree", "--name-only", commit]);
        tree.contains("notes.md")
            && desk
                .store(&["show", &format!("{commit}:notes.md")])
                .contains("unsaved in Neovim: ä🦀")
    };
    assert!(seen.lines().any(holds), "the snapshot holds the unsaved text");
}

#[test]
fn a_person_takes_a_part_of_a_change_by_keys() {
    let Some(nvim) = neovim() else { return };
    let desk = Desk::new();
    let screens = root().join("docs/screens").display().to_string();
    succeeded(&run_lua(&nvim, &desk, "parts.lua", &[env!("CARGO_BIN_EXE_baton"), &screens]));
    assert!(desk.read("src/lib.rs").contains("unwrap_or_default"));
    assert!(!desk.read("tests/first.rs").contains("of_an_empty_text"), "it was left out");
    let message = desk.git(&["log", "-1", "--format=%B"]);
    assert!(message.contains("Baton-Task: T1") && message.contains("Baton-Part"), "{message}");
}

/// Every Lua file of ours but the generated one.
fn lua_files() -> Vec<PathBuf> {
    let ours = ["editors/nvim", "tests/editors/nvim", "tests/editors/doors"];
    let mut folders: Vec<PathBuf> = ours.iter().map(|it| root().join(it)).collect();
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == "lua") && !path.ends_with("gen.lua") {
                files.push(path);
            }
        }
    }
    assert!(15 < files.len(), "{files:?}");
    files
}

#[test]
fn the_lua_is_formatted() {
    let library = installed("stylua/node_modules/@johnnymorganz/stylua/stylua_lib_node.cjs");
    let Some(library) = needed(library, "run tests/tools/install.sh stylua") else { return };
    let mut command = Command::new("node");
    command.arg(root().join("tests/tools/stylua/format.mjs")).arg(library);
    command.arg(root().join("editors/nvim/stylua.toml"));
    let mode = if std::env::var_os("UPDATE").is_some() { "write" } else { "check" };
    succeeded(&command.arg(mode).args(lua_files()).output().unwrap());
}

#[test]
fn the_lua_has_no_warning() {
    let Some(luacheck) = needed(on_path("luacheck"), "install luacheck") else { return };
    let mut command = Command::new(luacheck);
    command.args(["--no-color", "--no-cache", "--config"]).current_dir(root());
    command.arg(root().join("editors/nvim/.luacheckrc"));
    succeeded(&command.args(lua_files()).output().unwrap());
}

/// Runs the README's own line; what it says of `cargo install` is the binary under test on the `PATH`.
fn install_as_the_readme_says(desk: &Desk) {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let line = readme.lines().find(|it| it.contains("ln -s")).expect("how to install the plugin");
    let mut command = Command::new("sh");
    desk.isolate(&mut command);
    succeeded(&command.args(["-ec", line]).current_dir(root()).output().unwrap());
    std::os::unix::fs::symlink(desk.home().join(".local/share"), desk.home().join("data")).unwrap();
}

#[test]
fn neovim_is_killed_in_a_terminal_and_comes_back_to_the_right_board() {
    let (Some(nvim), Some(tmux)) = (neovim(), needed(on_path("tmux"), "install tmux")) else {
        return;
    };
    let desk = Desk::new();
    // The Engineer thinks for a while, so that Neovim can be killed meanwhile.
    let script = std::fs::read_to_string(desk.home().join("script.toml")).unwrap();
    let slow = script.replacen("[[run.reply]]", "[[run.reply]]\ndelay_ms = 2500", 3);
    std::fs::write(desk.home().join("script.toml"), slow).unwrap();
    let mut terminal = terminal::Terminal::new(&tmux, &desk);
    install_as_the_readme_says(&desk);
    let start = [nvim.to_str().unwrap(), "-n", "src/lib.rs"];

    terminal.open(&start);
    terminal.sees("pub fn first_line");
    terminal.types(":Baton delegate An empty text crashes first_line\r");
    terminal.sees("T1 delegated");
    terminal.types(":Baton board\r");
    terminal.sees("T1   Engineer");
    terminal.kill();

    terminal.open(&start);
    terminal.sees("pub fn first_line");
    terminal.types(":Baton board\r");
    terminal.sees("An empty text crashes first_line");
    terminal.sees("1 waiting for you");
    assert_eq!(terminal.screen().matches("T1   ").count(), 1, "{}", terminal.screen());
    terminal.types(":Baton review\r");
    terminal.sees("may be answered");
    terminal.types("gA");
    terminal.sees("T1 landed as");
    terminal.types(":Baton board\r");
    terminal.sees("Shipped");
    assert!(desk.read("src/lib.rs").contains("unwrap_or_default"));
    assert!(desk.git(&["log", "-1", "--format=%B"]).contains("Baton-Task: T1"));
}
