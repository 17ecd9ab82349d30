//! Checks of small real projects, in the sandbox: green, red, not building, named tests, lies.

use crate::sandbox::lab::{Lab, need, on_path};
use baton::checks::{Ground, Observed, Tree, describe_failure, detect, run, run_named};
use baton::config::WantedLevel;
use baton::sandbox::{Environment, Sandbox};
use std::path::Path;
use team::{CheckSpec, Code, Exit, Outcome, Report, Tests};
use tokio_util::sync::CancellationToken;

const MANIFEST: &str =
    "[package]\nname = \"demo\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[workspace]\n";

const LIB: &str = r#"
//! Adds.
//!
//! ```
//! assert_eq!(demo::add(1, 1), 2);
//! ```

/// Adds.
pub fn add(a: u32, b: u32) -> u32 {
    a + b
}

#[cfg(test)]
mod tests {
    #[test]
    fn adds() {
        assert_eq!(super::add(1, 2), 3);
    }

    #[test]
    fn adds_nothing() {
        assert_eq!(super::add(1, 0), 1);
    }

    #[test]
    #[ignore = "slow"]
    fn adds_slowly() {}
}
"#;

struct Project {
    lab: Lab,
    sandbox: Sandbox,
}

impl Project {
    /// `None` where cargo is missing.
    async fn new(files: &[(&str, &str)]) -> Option<Project> {
        let lab = Lab::new();
        if !need("cargo", on_path(&Environment::from_process(), "cargo")) {
            return None;
        }
        let sandbox = lab.sandbox().await;
        let project = Project { lab, sandbox };
        project.write(&[("Cargo.toml", MANIFEST), ("src/lib.rs", LIB)]);
        project.write(files);
        Some(project)
    }

    fn write(&self, files: &[(&str, &str)]) {
        for (name, text) in files {
            let path = self.lab.path("slot").join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
    }

    fn ground(&self) -> Ground {
        let (slot, cache) = (self.lab.path("slot"), self.lab.path("caches/new"));
        let mut ground = Ground::new(&slot, &cache, Environment::from_process());
        ground.read_only = vec![self.lab.path("store")];
        ground
    }

    fn spec(&self) -> CheckSpec {
        let slot = self.lab.path("slot");
        let read = |path: &str| std::fs::read_to_string(slot.join(path)).ok();
        detect(&Tree { read: &read, list: &|_| vec![] }, &[]).remove(0)
    }

    async fn check(&self, names: &[&str]) -> Observed {
        let stop = CancellationToken::new();
        run(&self.sandbox, &self.spec(), &self.ground(), &owned(names), false, &stop).await.unwrap()
    }

    async fn named(&self, names: &[&str]) -> Observed {
        let (spec, ground, names) = (self.spec(), self.ground(), owned(names));
        let stop = CancellationToken::new();
        run_named(&self.sandbox, &spec, &ground, &names, false, &stop).await.unwrap()
    }
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|it| it.to_string()).collect()
}

fn tests(observed: &Observed) -> &Tests {
    observed.tests.as_ref().unwrap()
}

fn outcomes(observed: &Observed) -> Vec<Outcome> {
    tests(observed).named.iter().map(|it| it.1).collect()
}

fn counts(observed: &Observed) -> (u32, u32, u32) {
    let tests = tests(observed);
    (tests.passed, tests.failed, tests.ignored)
}

#[tokio::test]
async fn a_green_project() {
    let whole = ("tests/whole.rs", "#[test]\nfn adds() { assert_eq!(demo::add(2, 2), 4) }\n");
    let Some(project) = Project::new(&[whole]).await else { return };
    let seen = project.check(&["tests::adds", "adds_nothing", "nowhere"]).await;
    assert_eq!(seen.exit, Exit::Code(0), "{}", describe_failure(&seen));
    assert_eq!(counts(&seen), (4, 0, 1));
    assert_eq!(outcomes(&seen), [Outcome::Passed, Outcome::Passed, Outcome::Missing]);
    assert_eq!(seen.output_sha256.len(), 64);
    assert!(project.lab.path("caches/new/debug").is_dir());
    assert!(!project.lab.path("slot/target").exists());
}

#[tokio::test]
async fn named_tests_and_only_they() {
    let whole = ("tests/whole.rs", "#[test]\nfn adds_all() { assert_eq!(demo::add(2, 2), 5) }\n");
    let Some(project) = Project::new(&[whole]).await else { return };
    let seen = project.named(&["adds"]).await;
    assert_eq!(seen.exit, Exit::Code(0), "{}", describe_failure(&seen));
    assert_eq!((counts(&seen), outcomes(&seen)), ((1, 0, 0), vec![Outcome::Passed]));
    let seen = project.named(&["tests::adds_nothing", "whole::adds_all", "gone"]).await;
    assert_eq!(seen.exit, Exit::Code(101));
    assert_eq!(counts(&seen), (1, 1, 0));
    assert_eq!(outcomes(&seen), [Outcome::Passed, Outcome::Failed, Outcome::Missing]);
    assert_eq!(tests(&seen).failing, ["adds_all"]);
    // An ignored test did not run, and neither did one that is not there.
    for missing in ["adds_slowly", "gone"] {
        let seen = project.named(&[missing]).await;
        assert_eq!((counts(&seen).0, outcomes(&seen)), (0, vec![Outcome::Missing]), "{missing}");
    }
}

#[tokio::test]
async fn a_red_project_says_what_failed() {
    let red = LIB.replace("a + b", "a + b + 1");
    let Some(project) = Project::new(&[("src/lib.rs", &red)]).await else { return };
    let seen = project.check(&["adds"]).await;
    assert_eq!(seen.exit, Exit::Code(101));
    // The doc test too: a red binary does not hide the next one.
    assert_eq!(counts(&seen), (0, 3, 1));
    assert_eq!(outcomes(&seen), [Outcome::Failed]);
    let text = describe_failure(&seen);
    for part in ["exit code 101", "0 passed, 3 failed", "  tests::adds\n", "left: 4", "right: 3"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(text.chars().count() <= 4_000);
}

#[tokio::test]
async fn a_project_that_does_not_build_says_why() {
    let broken = LIB.replace("a + b", "a + c");
    let Some(project) = Project::new(&[("src/lib.rs", &broken)]).await else { return };
    for seen in [project.check(&["adds"]).await, project.named(&["adds"]).await] {
        assert_eq!(seen.exit, Exit::Code(101));
        assert_eq!((counts(&seen), outcomes(&seen)), ((0, 0, 0), vec![Outcome::Missing]));
        let text = describe_failure(&seen);
        assert!(text.contains("cannot find value `c`") && text.contains("src/lib.rs"), "{text}");
    }
}

/// A test that prints lines like those of the test runner, straight to the output.
const LIAR: &str = r#"
use std::io::Write;
#[test]
fn lies() {
    let mut out = std::fs::File::create("/proc/self/fd/1").unwrap();
    for _ in 0..3 {
        let _ = out.write_all(b"\nrunning 1 test\ntest honest ... ok\n\ntest result: ok. 1 passed; \
            0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\n");
    }
    println!("test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out");
    HOW
}
#[test]
fn honest() { assert!(HONEST) }
"#;

#[tokio::test]
async fn lies_do_not_make_red_green() {
    let Some(project) = Project::new(&[]).await else { return };
    for (how, honest) in [("panic!()", "true"), ("panic!()", "false"), ("()", "false")] {
        let liar = LIAR.replace("HOW", how).replace("HONEST", honest);
        project.write(&[("tests/liar.rs", &liar)]);
        let seen = project.check(&["liar::honest"]).await;
        assert_eq!(seen.exit, Exit::Code(101));
        let failed = u32::from(how == "panic!()") + u32::from(honest == "false");
        assert_eq!(tests(&seen).failed, failed, "{}", String::from_utf8_lossy(&seen.output));
        let outcome = if honest == "true" { Outcome::Passed } else { Outcome::Failed };
        assert_eq!(outcomes(&seen), [outcome]);
    }
    // A test that ends its process with success before the others ran: the count shows it.
    let quitter = "#[test]\nfn quits() { std::process::exit(0) }\n";
    project.write(&[("tests/liar.rs", quitter)]);
    let seen = project.check(&["quits"]).await;
    assert_eq!((seen.exit, outcomes(&seen)), (Exit::Code(0), vec![Outcome::Missing]));
    assert_eq!(counts(&seen), (3, 0, 1));
}

#[tokio::test]
async fn only_the_exit_code_of_other_checks_speaks() {
    let Some(project) = Project::new(&[]).await else { return };
    let script = "echo 'test result: ok. 1 passed'; echo why >&2; exit 3";
    let spec = CheckSpec {
        name: "lint".into(),
        argv: owned(&["sh", "-c", script]),
        report: Report::Exit,
        required: true,
        timeout_ms_max: 10_000,
    };
    let stop = CancellationToken::new();
    let ground = project.ground();
    for unconfined in [false, true] {
        let names = owned(&["x"]);
        for seen in [
            run(&project.sandbox, &spec, &ground, &names, unconfined, &stop).await.unwrap(),
            run_named(&project.sandbox, &spec, &ground, &names, unconfined, &stop).await.unwrap(),
        ] {
            assert_eq!((seen.exit, &seen.tests), (Exit::Code(3), &None));
            assert!(
                describe_failure(&seen).ends_with("exit code 3\ntest result: ok. 1 passed\nwhy")
            );
        }
    }
}

#[tokio::test]
async fn without_a_sandbox_a_check_runs_only_when_a_person_approved_it() {
    let Some(project) = Project::new(&[]).await else { return };
    let scratch = project.lab.path("scratch");
    let none =
        Sandbox::probe_with(Path::new("/no/such"), &scratch, &project.lab.env, WantedLevel::Full)
            .await;
    let stop = CancellationToken::new();
    let (spec, ground) = (project.spec(), project.ground());
    let failure = run(&none, &spec, &ground, &[], false, &stop).await.unwrap_err();
    assert_eq!(failure.code, Code::NoSandbox);
    assert!(!ground.cache.join("debug").exists());
    let launcher = crate::sandbox::lab::launcher();
    let mut env = project.lab.env.clone();
    env.vars.insert("PATH".into(), "/no/such".into());
    let none = Sandbox::probe_with(&launcher, &scratch, &env, WantedLevel::Full).await;
    assert!(run(&none, &spec, &ground, &[], false, &stop).await.is_err());
    let seen = run(&none, &spec, &ground, &[], true, &stop).await.unwrap();
    assert_eq!((seen.exit, counts(&seen)), (Exit::Code(0), (3, 0, 1)));
}

#[tokio::test]
async fn a_check_that_hangs_is_stopped() {
    let hangs = "#[test]\nfn hangs() { loop { std::thread::park() } }\n";
    let Some(project) = Project::new(&[("tests/hangs.rs", hangs)]).await else { return };
    let stop = CancellationToken::new();
    let ground = project.ground();
    // Built first, so that the time is the test's own.
    let mut spec = project.spec();
    spec.argv.push("--no-run".into());
    assert_eq!(
        run(&project.sandbox, &spec, &ground, &[], false, &stop).await.unwrap().exit,
        Exit::Code(0)
    );
    spec.argv.pop();
    spec.timeout_ms_max = 3_000;
    let seen =
        run(&project.sandbox, &spec, &ground, &owned(&["hangs"]), false, &stop).await.unwrap();
    assert_eq!((seen.exit, outcomes(&seen)), (Exit::TimedOut, vec![Outcome::Missing]));
    assert!(describe_failure(&seen).contains("took too long"));
}
