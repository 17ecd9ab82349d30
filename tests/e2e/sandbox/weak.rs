//! Machines that lack something: without namespaces the level is reduced and says so; without what
//! reduced needs there is none, and no command runs. A lack is made by a seccomp filter on the test's
//! own thread, which all that it starts inherits.

use super::broken::{refuses, stand_in, with_path};
use super::lab::{Lab, again_as_ordinary_user, launcher, run, text};
use baton::config::WantedLevel;
use baton::sandbox::{Environment, Sandbox};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch,
};
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use team::{Code, SandboxLevel};
use tokio_util::sync::CancellationToken;

/// What a machine can lack: a name, and how its kernel answers.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Lacks {
    UserNamespaces,
    Landlock,
    Seccomp,
    NoNewPrivileges,
}

/// Answers these calls, where the first argument is right, with this error.
fn filter(calls: &[(i64, Option<u64>)], errno: i32) -> BpfProgram {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = BTreeMap::new();
    for (call, first) in calls {
        let rule = first.map(|first| {
            let op = if *call == libc::SYS_prctl {
                SeccompCmpOp::Eq
            } else {
                SeccompCmpOp::MaskedEq(first)
            };
            let condition = SeccompCondition::new(0, SeccompCmpArgLen::Dword, op, first).unwrap();
            SeccompRule::new(vec![condition]).unwrap()
        });
        rules.entry(*call).or_default().extend(rule);
    }
    let arch = TargetArch::try_from(std::env::consts::ARCH).unwrap();
    let answer = SeccompAction::Errno(errno as u32);
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, answer, arch).unwrap();
    filter.try_into().unwrap()
}

const SET_NO_NEW_PRIVS: u64 = 38;
const SET_SECCOMP: u64 = 22;

impl Lacks {
    fn filters(self) -> Vec<BpfProgram> {
        let new_user = Some(libc::CLONE_NEWUSER as u64);
        match self {
            Lacks::UserNamespaces => vec![
                filter(&[(libc::SYS_clone, new_user), (libc::SYS_unshare, new_user)], libc::EPERM),
                filter(&[(libc::SYS_clone3, None)], libc::ENOSYS),
            ],
            Lacks::Landlock => {
                let calls = [444, 445, 446].map(|it| (it, None));
                vec![filter(&calls, libc::ENOSYS)]
            }
            Lacks::Seccomp => {
                let calls = [(libc::SYS_seccomp, None), (libc::SYS_prctl, Some(SET_SECCOMP))];
                vec![filter(&calls, libc::EINVAL)]
            }
            Lacks::NoNewPrivileges => {
                vec![filter(&[(libc::SYS_prctl, Some(SET_NO_NEW_PRIVS))], libc::EINVAL)]
            }
        }
    }
}

/// Runs `work` on a thread of a machine that lacks this.
fn on_a_machine_without<T: Send + 'static>(
    lacks: &'static [Lacks],
    work: impl AsyncFnOnce() -> T + Send + 'static,
) -> T {
    let thread = std::thread::spawn(move || {
        for filter in lacks.iter().flat_map(|it| it.filters()) {
            seccompiler::apply_filter(&filter).unwrap();
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(work())
    });
    thread.join().unwrap()
}

async fn probe(lab: &Lab, env: &Environment, wanted: WantedLevel) -> Sandbox {
    Sandbox::probe_with(&launcher(), &lab.path("scratch"), env, wanted).await
}

#[test]
fn without_namespaces_the_level_is_reduced_and_named() {
    on_a_machine_without(&[Lacks::UserNamespaces], async || {
        let lab = Lab::new();
        let sandbox = probe(&lab, &lab.env, WantedLevel::Best).await;
        let said = sandbox.describe();
        println!("{said}");
        assert_eq!(sandbox.level(), SandboxLevel::Reduced, "{said}");
        assert!(
            said.starts_with("reduced: ") && said.contains("not full: bubblewrap could"),
            "{said}"
        );
        let finished = run(&sandbox, &lab.command(&["cat", "file"])).await;
        assert_eq!(text(&finished), "text");
        let full = probe(&lab, &lab.env, WantedLevel::Full).await;
        refuses(&lab, &full, "may not make namespaces", "bubblewrap could not start").await;
    });
}

#[test]
fn without_namespaces_the_level_is_reduced_for_an_ordinary_user() {
    again_as_ordinary_user("sandbox::weak::without_namespaces_the_level_is_reduced_and_named");
}

#[test]
fn what_reduced_needs_is_needed() {
    const WITHOUT: [(&[Lacks], &str); 5] = [
        (&[Lacks::Landlock], "Landlock"),
        (&[Lacks::Seccomp], "seccomp"),
        (&[Lacks::NoNewPrivileges], "Landlock"),
        (&[Lacks::UserNamespaces, Lacks::Landlock], "at level reduced"),
        (&[Lacks::UserNamespaces, Lacks::Seccomp], "at level reduced"),
    ];
    for (lacks, word) in WITHOUT {
        let namespaces = !lacks.contains(&Lacks::UserNamespaces);
        on_a_machine_without(lacks, async move || {
            let lab = Lab::new();
            let wanted = if namespaces { WantedLevel::Reduced } else { WantedLevel::Best };
            let sandbox = probe(&lab, &lab.env, wanted).await;
            println!("without {lacks:?}: {}", sandbox.describe());
            refuses(&lab, &sandbox, &format!("lacks {lacks:?}"), word).await;
            let best = probe(&lab, &lab.env, WantedLevel::Best).await;
            refuses(&lab, &best, &format!("lacks {lacks:?}"), "").await;
        });
    }
}

#[tokio::test]
async fn without_bubblewrap_the_level_is_reduced() {
    let lab = Lab::new();
    for (how, env) in [
        ("is missing", with_path(&lab, "/no/such/folder")),
        ("is too old", stand_in(&lab, "echo 'bwrap: Unknown option --disable-userns' >&2; exit 1")),
    ] {
        let sandbox = probe(&lab, &env, WantedLevel::Best).await;
        assert_eq!(sandbox.level(), SandboxLevel::Reduced, "{how}: {}", sandbox.describe());
        assert!(sandbox.describe().contains("bubblewrap"), "{}", sandbox.describe());
        let full = probe(&lab, &env, WantedLevel::Full).await;
        refuses(&lab, &full, how, "bubblewrap").await;
    }
}

#[tokio::test]
async fn a_bubblewrap_that_lies_is_no_reason_for_less() {
    for (how, script) in [
        (
            "runs the command unconfined",
            r#"while [ "$1" != -- ]; do shift; done; shift 2; exec BATON "$@""#,
        ),
        ("says nothing", "exit 0"),
        ("makes up a report", "echo 'baton: ready landlock=8 bounded=1' >&2; echo done; exit 0"),
    ] {
        let lab = Lab::new();
        let env = stand_in(&lab, script);
        let sandbox = probe(&lab, &env, WantedLevel::Best).await;
        refuses(&lab, &sandbox, how, "").await;
    }
}

/// A way for a launcher to be broken at level reduced (`BATON` is this project's), and a word of the
/// reason that must be given.
const LAUNCHERS: [(&str, &str, &str); 4] = [
    ("says nothing", "exit 0", "without a word"),
    (
        "raises no walls",
        r#"while [ "$1" != canaries ]; do shift; done
           echo 'baton: ready landlock=8 bounded=1' >&2; exec BATON __launch "$@""#,
        "files outside",
    ),
    (
        "makes up a report",
        "echo 'baton: ready landlock=8 bounded=1' >&2; echo 'right: files outside'; exit 0",
        "self-test",
    ),
    (
        "opens the home",
        r#"for a do shift; set -- "$@" "$a"; [ "$a" = alone ] && set -- "$@" --read HOME_DIR --read BATON; done
           exec BATON "$@""#,
        "home folder",
    ),
];

#[tokio::test]
async fn a_broken_launcher_is_no_sandbox() {
    for (how, script, word) in LAUNCHERS {
        let lab = Lab::new();
        let home = lab.path("home").to_string_lossy().into_owned();
        let baton = launcher().to_string_lossy().into_owned();
        let script = script.replace("BATON", &baton).replace("HOME_DIR", &home);
        let file = lab.path("launcher");
        std::fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&file, PermissionsExt::from_mode(0o755)).unwrap();
        let wanted = WantedLevel::Reduced;
        let sandbox = Sandbox::probe_with(&file, &lab.path("scratch"), &lab.env, wanted).await;
        println!("a launcher that {how}: {}", sandbox.describe());
        refuses(&lab, &sandbox, how, word).await;
    }
}

#[tokio::test]
async fn a_folder_with_a_repository_in_it_is_not_written_at_reduced() {
    let lab = Lab::new();
    let sandbox = lab.sandbox_of(WantedLevel::Reduced).await;
    let mut cmd = lab.command(&["sh", "-c", "echo x > .git/hooks/pre-commit"]);
    (cmd.slot, cmd.dir) = (lab.path("user"), lab.path("user"));
    let failure = sandbox.run(&cmd, &CancellationToken::new()).await.unwrap_err();
    assert_eq!(failure.code, Code::NoSandbox, "{failure}");
    assert!(!lab.path("user/.git/hooks/pre-commit").exists());
    // Read-only it may be seen, but for what is hidden in it.
    cmd.slot_read_only = true;
    cmd.argv = ["sh", "-c", "cat src/lib.rs; cat .git/config"].map(String::from).to_vec();
    let hiding = sandbox.hiding(&[lab.path("user/.git")]);
    let said = text(&run(&hiding, &cmd).await);
    assert!(said.contains(super::lab::SECRET) && !said.contains("[core]"), "{said}");
}

#[tokio::test]
async fn a_command_that_takes_more_memory_than_there_is_gets_none() {
    let lab = Lab::new();
    let script = "import mmap\ntry:\n mmap.mmap(-1, 1 << 42, flags=mmap.MAP_PRIVATE | 0x4000)\n \
                  print('MAPPED')\nexcept OSError: print('REFUSED')";
    for level in [WantedLevel::Full, WantedLevel::Reduced] {
        let sandbox = lab.sandbox_of(level).await;
        let said = text(&run(&sandbox, &lab.command(&["python3", "-c", script])).await);
        assert_eq!(said, "REFUSED\n", "{level:?}");
    }
}
