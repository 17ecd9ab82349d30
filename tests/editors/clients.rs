//! Other people's clients against the real server, as a matrix: pytest-lsp with the capabilities of
//! four editors does everything there is, Emacs with eglot what it can, Vim with ALE the least.

use super::story::Story;
use std::path::{Path, PathBuf};
use std::process::Stdio;

/// How an editor starts the language server.
const SERVER: [&str; 1] = ["lsp"];
/// Each takes a few seconds on an idle machine.
const STORY_S_MAX: &str = "240";
const SCRIPT: &str = include_str!("clients/script.toml");

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/editors/clients")
        .canonicalize()
        .unwrap()
}

/// Where CI requires everything, a missing piece is a failure.
fn skipped(what: &str, how: &str) {
    let all = std::env::var("BATON_TEST_REQUIRE").is_ok_and(|it| it == "all");
    assert!(!all, "{what} is required: {how}");
    println!("skipped: no {what}; {how}");
}

fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|it| it.join(program).is_file())
}

/// Runs a program under a time limit with what it needs to know; returns what it printed.
fn play(story: &Story, program: &Path, args: &[&str]) -> String {
    let mut command = story.bare(Path::new("timeout"), &["--kill-after=5", STORY_S_MAX]);
    command.arg(program).args(args).current_dir(here());
    let server: Vec<&str> = [&[env!("CARGO_BIN_EXE_baton")], &SERVER[..]].concat();
    command.env("BATON_TEST_SERVER", server.join("\n")).env("BATON_TEST_ROOT", &story.root);
    command.env("BATON_TEST_OUT", story.home.join("out")).env("LANG", "C.UTF-8");
    command.env_remove("BATON_IN_PROCESS");
    let done = command.stdout(Stdio::piped()).stderr(Stdio::piped()).output().unwrap();
    let mut stop = story.baton(&["daemon", "stop"]);
    let stopped = stop.env_remove("BATON_IN_PROCESS").output().unwrap();
    assert!(stopped.status.success(), "{}", String::from_utf8_lossy(&stopped.stderr));
    let out = String::from_utf8_lossy(&done.stdout).into_owned();
    let told = std::fs::read_to_string(story.home.join("out")).unwrap_or_default();
    let text = format!("{out}\n{}\n{told}", String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{}\n{text}", done.status);
    text
}

/// One story of `test_everything.py`, by an editor with these capabilities.
fn replay(client: &str, name: &str) {
    let target = Path::new(env!("CARGO_BIN_EXE_baton")).ancestors().nth(2).unwrap();
    let python = target.join("test-tools/clients/bin/python");
    if !python.exists() {
        return skipped("pytest-lsp", "run tests/tools/install.sh clients");
    }
    let story = Story::new(SCRIPT);
    let test = format!("test_everything.py::test_{name}");
    let client = format!("BATON_TEST_CLIENT={client}");
    let args = [
        client.as_str(),
        "PYTHONDONTWRITEBYTECODE=1",
        python.to_str().unwrap(),
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-o",
        "asyncio_default_fixture_loop_scope=function",
        "-W",
        "error::pytest_lsp.checks.LspSpecificationWarning",
        &test,
    ];
    let said = play(&story, Path::new("env"), &args);
    assert!(said.contains("1 passed"), "{said}");
}

macro_rules! matrix {
    ($($editor:ident = $client:literal)*) => { $(
        mod $editor {
            const CLIENT: &str = $client;
            matrix!(
                hello_and_goodbye
                cancelled_requests_and_folders_that_come_and_go
                text_is_kept_in_step_and_stays_unsaved
                by_code_action_alone
                every_request_and_notification_of_baton
            );
        }
    )* };
    ($($name:ident)*) => { $(
        #[test]
        fn $name() {
            super::replay(CLIENT, stringify!($name));
        }
    )* };
}

matrix! {
    neovim = "neovim@0.11.0"
    old_neovim = "neovim@0.6.1"
    emacs = "emacs@29.1"
    vs_code = "visual-studio-code@1.65.2"
}

#[test]
fn a_person_delegates_and_lands_in_emacs() {
    if !on_path("emacs") {
        return skipped("Emacs", "install emacs-nox and elpa-eglot");
    }
    let story = Story::new(SCRIPT);
    let file = here().join("eglot.el");
    let args = ["--batch", "--no-init-file", "-l", file.to_str().unwrap()];
    let said = play(&story, Path::new("emacs"), &args);
    assert!(said.contains("1 results as expected, 0 unexpected"), "{said}");
    assert!(story.git(&["log", "-1", "--format=%b"]).contains("Baton-Task: T1"));
    // The repository is free again.
    assert!(story.ok(&["board", "--all"]).contains("landed"));
}

#[test]
fn ale_in_vim_shows_diagnostics_and_ends() {
    let ale = Path::new("/usr/share/vim-ale");
    if !on_path("vim") || !ale.is_dir() {
        return skipped("Vim with ALE", "install vim and vim-ale");
    }
    let story = Story::new(SCRIPT);
    let file = here().join("ale.vim");
    let args = ["-Nu", "NONE", "-i", "NONE", "-Es", "-S", file.to_str().unwrap()];
    let said = play(&story, Path::new("vim"), &args);
    let steps = ["initialised", "a diagnostic on its line", "no diagnostic", "stopped"];
    for step in steps {
        assert!(said.lines().any(|it| it == step), "{step}: {said}");
    }
    assert!(said.contains("unknown key `nme`"), "{said}");
    assert_eq!(story.git(&["status", "--porcelain"]), "");
    story.ok(&["board"]);
}
