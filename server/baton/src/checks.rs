//! Runs the project's own checks and reports what it saw. A check is only ever a command of the
//! project run by the server; what it printed is read, but its exit code has the last word.

mod cargo;
mod cases;
mod describe;
mod detect;
mod go;
mod installed;
mod jest;
mod junit;
mod manifests;
mod report;
mod script;
mod select;
mod setup;
mod unittest;

pub use cargo::read_cargo;
pub use describe::describe_failure;
pub use detect::{Tree, detect};
pub use installed::{Installed, of_worktree};
pub use setup::{Plan, begin, finish, is_done, of_setups, plans, would_help};

use crate::sandbox::{Confined, Environment, Finished, OUTPUT_BYTES_MAX, Sandbox};
use report::Place;
use select::Choice;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use team::{CheckSpec, Code, CommitId, Exit, Failure, Outcome, Report, Tests, TreeId};
use tokio_util::sync::CancellationToken;

/// How long a detected check may take.
pub const CHECK_MS_MAX: u64 = 30 * 60 * 1000;
/// How long a set-up may take.
const SETUP_MS_MAX: u64 = 30 * 60 * 1000;
/// Most of an output whose every line is part of the report; what is kept of it is less.
const LINES_BYTES_MAX: usize = 16 * 1024 * 1024;

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
    /// Packages that commands see in the slot, read-only.
    pub installed: Vec<Installed>,
    pub environment: Environment,
}

impl Ground {
    /// A slot and its build cache, with nothing said about its content and nothing else visible.
    pub fn new(slot: &Path, cache: &Path, environment: Environment) -> Ground {
        Ground {
            slot: slot.to_path_buf(),
            commit: None,
            tree: None,
            read_only: Vec::new(),
            cache: cache.to_path_buf(),
            installed: Vec::new(),
            environment,
        }
    }

    /// A command here, for a check as well as for a role: the same folders, the same variables.
    ///
    /// # Errors
    /// `Command` when the build cache can't be made.
    pub fn confine(&self, argv: &[String], dir: &Path) -> Result<Confined, Failure> {
        std::fs::create_dir_all(&self.cache).map_err(|error| {
            let cache = self.cache.display();
            Failure::new(Code::Command, format!("make the build cache {cache}: {error}"))
                .hint("look at the rights and the free space of Baton's state folder")
        })?;
        let mut environment = self.environment.clone();
        for (name, below) in [("CARGO_TARGET_DIR", ""), ("GOCACHE", "go-build")] {
            let dir = if below.is_empty() { self.cache.clone() } else { self.cache.join(below) };
            environment.vars.insert(name.into(), dir.to_string_lossy().into_owned());
        }
        let bound = installed::bind(&self.installed, &self.slot, &mut environment);
        let mut cmd = Confined::new(argv, dir, &self.slot, environment);
        cmd.bound = bound;
        cmd.read_only.clone_from(&self.read_only);
        cmd.writable = vec![self.cache.clone()];
        Ok(cmd)
    }
}

/// Runs a set-up that a person approved: with a network, and with the folders of `made` writable in
/// the slot.
///
/// # Errors
/// As `Sandbox::run`.
pub async fn set_up(
    sandbox: &Sandbox,
    plan: &Plan,
    at: &Ground,
    made: &[Installed],
    stop: &CancellationToken,
) -> Result<Observed, Failure> {
    let mut cmd = at.confine(&plan.argv, &at.slot)?;
    cmd.bound = installed::mounts(made, &at.slot, true);
    (cmd.network, cmd.timeout_ms_max) = (true, SETUP_MS_MAX);
    let finished = sandbox.run(&cmd, stop).await?;
    let course = Course { sandbox, at, unconfined: false, stop };
    course.observed(plan.argv.clone(), finished, None)
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
    course.observe(&spec.argv, &spec.report, spec.timeout_ms_max, names).await
}

/// Runs the named tests, and only they where the check's runner can choose tests; any other check
/// runs whole. A name is a full one, `module::test`, or the end of one, `test`.
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
    let course = Course { sandbox, at, unconfined, stop };
    let begun = Instant::now();
    let left = || {
        let left = Duration::from_millis(spec.timeout_ms_max).saturating_sub(begun.elapsed());
        left.as_millis() as u64
    };
    match select::choose(spec, names) {
        Choice::Whole => course.observe(&spec.argv, &spec.report, left(), names).await,
        Choice::Direct(argv) => course.observe(&argv, &spec.report, left(), names).await,
        Choice::Listed { listing, of } => {
            let listed = course.run(&listing, OUTPUT_BYTES_MAX, left()).await?;
            let text = String::from_utf8_lossy(&listed.output);
            let Some(argv) = of.exactly(&text, names) else {
                // It does not build, or has no such tests: the listing is all there is to show.
                let tests = Tests {
                    named: names.iter().map(|it| (it.clone(), Outcome::Missing)).collect(),
                    ..Tests::default()
                };
                return course.observed(listing, listed, Some(tests));
            };
            let mut observed = course.observe(&argv, &spec.report, left(), names).await?;
            observed.duration_ms += listed.duration_ms;
            Ok(observed)
        }
    }
}

/// The output as a person would have been shown it, where a report's lines take its place.
pub fn for_people(output: Vec<u8>) -> Vec<u8> {
    match go::readable(&String::from_utf8_lossy(&output)) {
        Some(text) => text.into_bytes(),
        None => output,
    }
}

/// One check on its way.
struct Course<'a> {
    sandbox: &'a Sandbox,
    at: &'a Ground,
    unconfined: bool,
    stop: &'a CancellationToken,
}

impl Course<'_> {
    async fn run(
        &self,
        argv: &[String],
        output_bytes_max: usize,
        timeout_ms_max: u64,
    ) -> Result<Finished, Failure> {
        let mut cmd = self.at.confine(argv, &self.at.slot)?;
        cmd.timeout_ms_max = timeout_ms_max;
        cmd.output_bytes_max = output_bytes_max;
        match self.unconfined {
            true => self.sandbox.run_unconfined(&cmd, self.stop).await,
            false => self.sandbox.run(&cmd, self.stop).await,
        }
    }

    /// Runs it and reads its report. What is told of the command holds `REPORT_FILE`, not the path
    /// of a file that is gone: so it can be run again.
    async fn observe(
        &self,
        argv: &[String],
        report: &Report,
        timeout_ms_max: u64,
        names: &[String],
    ) -> Result<Observed, Failure> {
        std::fs::create_dir_all(&self.at.cache).ok();
        let place = Place::prepare(report, argv, self.at)?;
        let bytes_max = if *report == Report::Go { LINES_BYTES_MAX } else { OUTPUT_BYTES_MAX };
        let finished = self.run(&place.fill(argv), bytes_max, timeout_ms_max).await?;
        let mut tests = place.read(report, &finished.output, names);
        if let Some(tests) = &mut tests {
            believe_exit(tests, finished.exit);
        }
        self.observed(argv.to_vec(), finished, tests)
    }

    fn observed(
        &self,
        argv: Vec<String>,
        finished: Finished,
        tests: Option<Tests>,
    ) -> Result<Observed, Failure> {
        Ok(Observed {
            environment: self.at.confine(&argv, &self.at.slot)?.env.hash(),
            argv,
            exit: finished.exit,
            duration_ms: finished.duration_ms,
            output: crate::sandbox::shortened(finished.output, OUTPUT_BYTES_MAX),
            output_bytes: finished.output_bytes,
            output_sha256: finished.output_sha256,
            tests,
        })
    }
}

/// Where the report and the exit code contradict each other, the report proves nothing: a named test
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
