//! Runs the project's own checks and reports what it saw. A check is only ever a command of the
//! project run by the server; what it printed is read, but its exit code has the last word.

mod cargo;
mod describe;

pub use cargo::read_cargo;
pub use describe::describe_failure;

use crate::sandbox::{Confined, Environment, Finished, Sandbox};
use std::path::PathBuf;
use std::time::{Duration, Instant};
use team::{CheckSpec, Code, CommitId, Exit, Failure, Outcome, Report, Tests, TreeId};
use tokio_util::sync::CancellationToken;

/// How long a detected check may take.
pub const CHECK_MS_MAX: u64 = 30 * 60 * 1000;

/// Where a check runs.
#[derive(Clone, Debug)]
pub struct Ground {
    pub slot: PathBuf,
    /// What the slot holds, for the receipt.
    pub commit: Option<CommitId>,
    pub tree: Option<TreeId>,
    /// Baton's store and the object folders.
    pub read_only: Vec<PathBuf>,
    /// The build cache of this slot; made when it is missing.
    pub cache: PathBuf,
    pub environment: Environment,
}

/// What the server saw of one check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observed {
    pub argv: Vec<String>,
    pub exit: Exit,
    pub duration_ms: u64,
    /// Bounded; see `sandbox::Finished`. Not escaped.
    pub output: Vec<u8>,
    pub output_bytes: u64,
    pub output_sha256: String,
    /// `None` where only the exit code speaks.
    pub tests: Option<Tests>,
    /// SHA-256 of the environment, hex.
    pub environment: String,
}

/// The checks of a project: those that a trusted team file names, and those that its files imply
/// unless one of that name is there. `exists` says whether a path is in the tree.
pub fn detect(exists: &dyn Fn(&str) -> bool, named: &[CheckSpec]) -> Vec<CheckSpec> {
    let mut all = named.to_vec();
    if exists("Cargo.toml") && !all.iter().any(|it| it.name == "test") {
        all.push(CheckSpec {
            name: "test".into(),
            // Without the flag the first red binary would hide what the others say.
            argv: ["cargo", "test", "--no-fail-fast"].map(String::from).into(),
            report: Report::Cargo,
            required: true,
            timeout_ms_max: CHECK_MS_MAX,
        });
    }
    all
}

/// Runs a check whole. `names` are the tests whose own outcome is wanted.
///
/// # Errors
/// As `Sandbox::run`, or as `Sandbox::run_unconfined` when a person approved it `unconfined`. A red
/// check is no error.
pub async fn run(
    sandbox: &Sandbox,
    spec: &CheckSpec,
    at: &Ground,
    names: &[String],
    unconfined: bool,
    stop: &CancellationToken,
) -> Result<Observed, Failure> {
    let course = Course { sandbox, at, unconfined, stop };
    let finished = course.run(&spec.argv, spec.timeout_ms_max).await?;
    Ok(course.observe(spec.argv.clone(), finished, spec.report, names))
}

/// Runs the named tests, and only they where the check is `cargo test`; any other check runs whole.
/// A name is a full one, `module::test`, or the end of one, `test`.
///
/// # Errors
/// As `run`. A test that is not there is no error: its outcome is `Missing`.
pub async fn run_named(
    sandbox: &Sandbox,
    spec: &CheckSpec,
    at: &Ground,
    names: &[String],
    unconfined: bool,
    stop: &CancellationToken,
) -> Result<Observed, Failure> {
    let command = match spec.report {
        Report::Cargo => cargo::TestCommand::of(&spec.argv),
        Report::Exit => None,
    };
    let Some(command) = command else {
        return run(sandbox, spec, at, names, unconfined, stop).await;
    };
    let course = Course { sandbox, at, unconfined, stop };
    let begun = Instant::now();
    let listing = command.listing();
    let listed = course.run(&listing, spec.timeout_ms_max).await?;
    let text = String::from_utf8_lossy(&listed.output);
    let exact = cargo::resolve(&cargo::read_list(&text), names);
    if listed.exit != Exit::Code(0) || exact.is_empty() {
        // It does not build, or has no such tests: the listing is all there is to show.
        return Ok(course.observe(listing, listed, Report::Cargo, names));
    }
    let argv = command.exactly(&exact);
    let left = Duration::from_millis(spec.timeout_ms_max).saturating_sub(begun.elapsed());
    let mut finished = course.run(&argv, left.as_millis() as u64).await?;
    finished.duration_ms += listed.duration_ms;
    Ok(course.observe(argv, finished, Report::Cargo, names))
}

/// One check on its way.
struct Course<'a> {
    sandbox: &'a Sandbox,
    at: &'a Ground,
    unconfined: bool,
    stop: &'a CancellationToken,
}

impl Course<'_> {
    fn environment(&self) -> Environment {
        let mut environment = self.at.environment.clone();
        let cache = self.at.cache.to_string_lossy().into_owned();
        environment.vars.insert("CARGO_TARGET_DIR".into(), cache);
        environment
    }

    async fn run(&self, argv: &[String], timeout_ms_max: u64) -> Result<Finished, Failure> {
        std::fs::create_dir_all(&self.at.cache).map_err(|error| {
            let cache = self.at.cache.display();
            Failure::new(Code::Command, format!("make the build cache {cache}: {error}"))
                .hint("look at the rights and the free space of Baton's state folder")
        })?;
        let mut cmd = Confined::new(argv, &self.at.slot, &self.at.slot, self.environment());
        cmd.read_only = self.at.read_only.clone();
        cmd.writable = vec![self.at.cache.clone()];
        cmd.timeout_ms_max = timeout_ms_max;
        match self.unconfined {
            true => self.sandbox.run_unconfined(&cmd, self.stop).await,
            false => self.sandbox.run(&cmd, self.stop).await,
        }
    }

    fn observe(
        &self,
        argv: Vec<String>,
        finished: Finished,
        report: Report,
        names: &[String],
    ) -> Observed {
        let tests = match report {
            Report::Exit => None,
            Report::Cargo => {
                let mut tests = read_cargo(&String::from_utf8_lossy(&finished.output), names);
                believe_exit(&mut tests, finished.exit);
                Some(tests)
            }
        };
        Observed {
            argv,
            exit: finished.exit,
            duration_ms: finished.duration_ms,
            output: finished.output,
            output_bytes: finished.output_bytes,
            output_sha256: finished.output_sha256,
            tests,
            environment: self.environment().hash(),
        }
    }
}

/// Where the text and the exit code contradict each other, the text proves nothing: a named test
/// that "failed" in a command that succeeded was printed, not run.
fn believe_exit(tests: &mut Tests, exit: Exit) {
    if exit == Exit::Code(0) {
        for (_, outcome) in &mut tests.named {
            if *outcome == Outcome::Failed {
                *outcome = Outcome::Missing;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(name: &str) -> CheckSpec {
        CheckSpec {
            name: name.into(),
            argv: vec!["make".into(), name.into()],
            report: Report::Exit,
            required: true,
            timeout_ms_max: 1,
        }
    }

    #[test]
    fn a_cargo_project_is_tested_by_cargo() {
        let found = detect(&|path| path == "Cargo.toml", &[]);
        let [test] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((test.report, test.required), (Report::Cargo, true));
        assert_eq!(test.argv[..2], ["cargo", "test"]);
        assert_eq!(detect(&|_| false, &[]), []);
    }

    #[test]
    fn the_team_file_adds_checks_and_may_say_what_test_means() {
        let cargo = |path: &str| path == "Cargo.toml";
        let names = |named: &[CheckSpec]| {
            let all = detect(&cargo, named);
            all.iter().map(|it| it.name.clone()).collect::<Vec<_>>()
        };
        assert_eq!(names(&[spec("lint")]), ["lint", "test"]);
        assert_eq!(names(&[spec("test")]), ["test"]);
    }

    #[test]
    fn a_failure_that_was_only_printed_proves_nothing() {
        let mut tests = Tests {
            named: vec![("a".into(), Outcome::Failed), ("b".into(), Outcome::Passed)],
            ..Tests::default()
        };
        believe_exit(&mut tests, Exit::Code(101));
        assert_eq!(tests.named[0].1, Outcome::Failed);
        believe_exit(&mut tests, Exit::Code(0));
        assert_eq!(tests.named[0].1, Outcome::Missing);
        assert_eq!(tests.named[1].1, Outcome::Passed);
    }
}
