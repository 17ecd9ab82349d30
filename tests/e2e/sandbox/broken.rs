//! A sandbox that is missing or broken, in every way we could think of: the self-test says so, and
//! no command runs.

use super::lab::{Lab, again_as_ordinary_user, launcher};
use baton::config::WantedLevel;
use baton::sandbox::{Environment, Sandbox};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use team::{Code, SandboxLevel};
use tokio_util::sync::CancellationToken;

/// A way to be broken: its name, the text of a program to stand in for bubblewrap (`REAL` is the
/// real one, `BATON` this project's), and a word of the reason that must be given.
const STAND_INS: [(&str, &str, &str); 9] = [
    ("fails", "echo 'bwrap: setting up uid map: Permission denied' >&2; exit 1", "uid map"),
    ("is too old", "echo 'bwrap: Unknown option --disable-userns' >&2; exit 1", "too old"),
    ("says nothing", "exit 0", "without a word"),
    (
        "runs the command unconfined",
        r#"while [ "$1" != -- ]; do shift; done; shift 2; exec BATON "$@""#,
        "not inside a sandbox",
    ),
    (
        "makes namespaces only",
        r#"while [ "$1" != -- ]; do shift; done; shift 2; exec unshare -Urmpinu -C --fork BATON "$@""#,
        "",
    ),
    (
        "shares the network",
        r#"for a do shift; [ "$a" = --unshare-net ] || set -- "$@" "$a"; done; exec REAL "$@""#,
        "net:",
    ),
    (
        "leaves the pointer writable",
        // Drops the three words of every read-only bind of a file called .git.
        r#"n=$#; while [ $n -gt 0 ]; do case "$1 $2" in "--ro-bind "*/.git) shift 3; n=$((n-3));;
           *) set -- "$@" "$1"; shift; n=$((n-1));; esac; done; exec REAL "$@""#,
        ".git pointer",
    ),
    (
        "shows more than it should",
        r#"for a do shift; set -- "$@" "$a"
           [ "$a" = /var/tmp ] && set -- "$@" --ro-bind SCRATCH SCRATCH; done; exec REAL "$@""#,
        "files outside",
    ),
    (
        "makes up a report",
        r#"echo 'baton: ready landlock=8 bounded=1' >&2; echo 'right: the .git pointer'; exit 0"#,
        "self-test",
    ),
];

fn real_bwrap() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap();
    std::env::split_paths(&path)
        .map(|it| it.join("bwrap"))
        .find(|it| it.is_file())
        .expect("bubblewrap is needed")
}

/// Writes a program named `bwrap` and puts its folder first on the path.
pub fn stand_in(lab: &Lab, script: &str) -> Environment {
    let dir = lab.path("bin");
    std::fs::create_dir_all(&dir).unwrap();
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let script = script
        .replace("REAL", &text(&real_bwrap()))
        .replace("BATON", &text(&launcher()))
        .replace("SCRATCH", &text(&lab.path("scratch")));
    // A new file for each, so that no running program is written to.
    let file = dir.join("new");
    std::fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o755)).unwrap();
    std::fs::rename(&file, dir.join("bwrap")).unwrap();
    with_path(lab, &format!("{}:{}", text(&dir), lab.env.vars["PATH"]))
}

pub fn with_path(lab: &Lab, path: &str) -> Environment {
    let mut env = lab.env.clone();
    env.vars.insert("PATH".into(), path.into());
    env
}

/// No sandbox, a reason with this word and something to do about it, and nothing runs.
pub async fn refuses(lab: &Lab, sandbox: &Sandbox, how: &str, word: &str) {
    let said = sandbox.describe();
    assert_eq!(sandbox.level(), SandboxLevel::None, "bubblewrap that {how}");
    assert!(sandbox.why_not().unwrap().contains(word), "bubblewrap that {how}: {said}");
    let cmd = lab.command(&["/bin/sh", "-c", "echo x > ran"]);
    let failure = sandbox.run(&cmd, &CancellationToken::new()).await.unwrap_err();
    assert_eq!(failure.code, Code::NoSandbox);
    assert!(!failure.hint.is_empty(), "{failure}");
    assert!(!lab.path("slot/ran").exists(), "bubblewrap that {how}: the command ran");
}

#[tokio::test]
async fn a_broken_sandbox_is_no_sandbox() {
    for (how, script, word) in STAND_INS {
        let lab = Lab::new();
        let env = stand_in(&lab, script);
        let sandbox =
            Sandbox::probe_with(&launcher(), &lab.path("scratch"), &env, WantedLevel::Full).await;
        println!("bubblewrap that {how}: {}", sandbox.describe());
        refuses(&lab, &sandbox, how, word).await;
    }
}

#[test]
fn a_broken_sandbox_is_no_sandbox_for_an_ordinary_user() {
    again_as_ordinary_user("sandbox::broken::a_broken_sandbox_is_no_sandbox");
}

#[tokio::test]
async fn no_bubblewrap_is_no_sandbox_and_says_how_to_get_it() {
    let lab = Lab::new();
    let env = with_path(&lab, "/no/such/folder");
    let sandbox =
        Sandbox::probe_with(&launcher(), &lab.path("scratch"), &env, WantedLevel::Full).await;
    refuses(&lab, &sandbox, "is missing", "not installed").await;
    assert!(sandbox.describe().contains("apt install bubblewrap"), "{}", sandbox.describe());
}

#[tokio::test]
async fn a_bubblewrap_that_hangs_is_given_up() {
    let lab = Lab::new();
    let env = stand_in(&lab, "exec tail -f /dev/null");
    let sandbox =
        Sandbox::probe_with(&launcher(), &lab.path("scratch"), &env, WantedLevel::Full).await;
    refuses(&lab, &sandbox, "hangs", "self-test").await;
}

#[tokio::test]
async fn another_program_in_the_launchers_place_is_no_launcher() {
    let lab = Lab::new();
    for launcher in ["/bin/true", "/bin/cat", "/no/such/program"] {
        let scratch = lab.path("scratch");
        let sandbox =
            Sandbox::probe_with(Path::new(launcher), &scratch, &lab.env, WantedLevel::Full).await;
        refuses(&lab, &sandbox, launcher, "").await;
    }
}

#[tokio::test]
async fn a_bubblewrap_that_breaks_after_the_self_test_runs_nothing() {
    let lab = Lab::new();
    let env = stand_in(&lab, r#"exec REAL "$@""#);
    let sandbox =
        Sandbox::probe_with(&launcher(), &lab.path("scratch"), &env, WantedLevel::Full).await;
    assert_eq!(sandbox.level(), SandboxLevel::Full, "{}", sandbox.describe());
    for (how, script, _) in STAND_INS.iter().take(4) {
        stand_in(&lab, script);
        let cmd = lab.command(&["/bin/sh", "-c", "echo x > ran"]);
        let failure = sandbox.run(&cmd, &CancellationToken::new()).await.unwrap_err();
        assert_eq!(failure.code, Code::NoSandbox, "bubblewrap that {how}");
        assert!(!lab.path("slot/ran").exists(), "bubblewrap that {how}: the command ran");
    }
}

#[tokio::test]
async fn the_self_test_leaves_nothing_behind() {
    let lab = Lab::new();
    let scratch = lab.path("scratch");
    let sandbox = Sandbox::probe_with(&launcher(), &scratch, &lab.env, WantedLevel::Full).await;
    assert_eq!(sandbox.level(), SandboxLevel::Full, "{}", sandbox.describe());
    assert_eq!(std::fs::read_dir(scratch).unwrap().count(), 0);
}

#[tokio::test]
async fn a_named_toolchain_folder_is_shown_and_nothing_beside_it() {
    let lab = Lab::new();
    let home = lab.path("home").to_string_lossy().into_owned();
    let mut env = lab.env.clone();
    env.vars.insert("GOROOT".into(), format!("{home}/.config"));
    let sandbox =
        Sandbox::probe_with(&launcher(), &lab.path("scratch"), &env, WantedLevel::Full).await;
    assert_eq!(sandbox.level(), SandboxLevel::Full, "{}", sandbox.describe());
    let mut cmd = lab.command(&["ls", "-A", &home]);
    cmd.env = env;
    let finished = super::lab::run(&sandbox, &cmd).await;
    assert_eq!(super::lab::text(&finished), ".config\n");
}
