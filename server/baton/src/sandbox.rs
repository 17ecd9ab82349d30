//! How any command is started. A command runs confined at level `Full` or `Reduced`, or not at all,
//! unless a person approved that exact command.
//!
//! `Full` is bubblewrap (an empty root with an allow-list; own user, mount, pid, net, ipc, uts and
//! cgroup namespaces), and inside it seccomp and every file right and scope of this kernel's
//! Landlock. `Reduced` is for machines without bubblewrap or without namespaces: Landlock and seccomp
//! alone, no sockets, and signals that reach only the command's own. The daemon only spawns `baton __launch supervise`, a small process that holds a
//! lifeline to the daemon, restricts nothing of the daemon's, and outlives nothing: when the
//! lifeline closes, for whatever reason, all that it started is killed.

mod bubblewrap;
mod canary;
mod environment;
mod folders;
mod launcher;
mod output;
mod probe;
mod reduced;
mod walls;
mod watch;

pub use environment::{Environment, hex};
pub use launcher::launch;
pub use output::{OUTPUT_BYTES_MAX, shortened};

use crate::config::WantedLevel;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use team::{Code, Exit, Failure, SandboxLevel};
use tokio_util::sync::CancellationToken;

/// Where this binary is bound inside the sandbox.
const LAUNCHER_INSIDE: &str = "/run/baton";
/// The hidden first argument that makes the binary a launcher.
pub const LAUNCH_ARGUMENT: &str = "__launch";

/// What `probe` found out about this machine. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Sandbox {
    found: Arc<Found>,
    /// Invisible to every command, even where a folder of the system holds it.
    hidden: Vec<PathBuf>,
}

#[derive(Debug)]
struct Found {
    /// The `baton` binary, for both levels.
    launcher: PathBuf,
    walls: Result<Walls, Lack>,
}

#[derive(Debug)]
enum Walls {
    Full(Full),
    Reduced(Reduced),
}

#[derive(Debug)]
struct Full {
    bwrap: PathBuf,
    bwrap_version: String,
    landlock_abi: u32,
    /// Whether the number of processes in a sandbox is limited; if not, only time is.
    processes_bounded: bool,
    took_ms: u64,
}

#[derive(Debug)]
struct Reduced {
    /// Why it is not `Full`.
    instead: Lack,
    /// Where private folders are made.
    scratch: PathBuf,
    landlock_abi: u32,
    processes_bounded: bool,
    took_ms: u64,
}

/// Why there is no sandbox.
#[derive(Clone, Debug)]
struct Lack {
    why: String,
    hint: String,
    /// This machine just has no namespaces for us. Anything else is a sandbox that misbehaves, and
    /// then no other kind is trusted either.
    only_missing: bool,
}

/// A command and what it may touch.
#[derive(Clone, Debug)]
pub struct Confined {
    /// The program, looked for in the environment's `PATH`, and its arguments.
    pub argv: Vec<String>,
    /// Where it starts; the slot or a folder in it.
    pub dir: PathBuf,
    /// Writable, but for its `.git` pointer.
    pub slot: PathBuf,
    pub slot_read_only: bool,
    /// Visible, e.g. Baton's store and the object folders that it borrows from.
    pub read_only: Vec<PathBuf>,
    /// Build caches and the like. They must exist.
    pub writable: Vec<PathBuf>,
    /// Folders that are seen at another place, inside the slot.
    pub bound: Vec<Bound>,
    pub env: Environment,
    pub timeout_ms_max: u64,
    /// Most that is kept of the output.
    pub output_bytes_max: usize,
    /// The host's network, and package caches writable. Only for an approved set-up command.
    pub network: bool,
}

/// A folder that a command sees at another place than its own. Both must exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    pub source: PathBuf,
    pub at: PathBuf,
    pub writable: bool,
}

impl Confined {
    /// A command in `dir` of a writable slot, with nothing else: no caches, no network.
    pub fn new(argv: &[String], dir: &Path, slot: &Path, env: Environment) -> Confined {
        Confined {
            argv: argv.to_vec(),
            dir: dir.to_path_buf(),
            slot: slot.to_path_buf(),
            slot_read_only: false,
            read_only: Vec::new(),
            writable: Vec::new(),
            bound: Vec::new(),
            env,
            timeout_ms_max: TIMEOUT_MS_DEFAULT,
            output_bytes_max: OUTPUT_BYTES_MAX,
            network: false,
        }
    }
}

/// How long a command may take when nobody said otherwise.
pub const TIMEOUT_MS_DEFAULT: u64 = 10 * 60 * 1000;

/// How a command ended, and what it printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// An exit status of 129 to 159 reads as the signal that shells mean by it.
    pub exit: Exit,
    pub duration_ms: u64,
    /// Standard output and error as they came: the head and the tail of it, with a line between
    /// that says how much was left out; at most `OUTPUT_BYTES_MAX`. Not escaped.
    pub output: Vec<u8>,
    /// Of the whole output.
    pub output_bytes: u64,
    /// Of the whole output, hex.
    pub output_sha256: String,
}

impl Sandbox {
    /// Tests this machine with canaries inside the sandbox. Never fails: where anything is missing
    /// or a single canary gets through, the level is `None` and says why.
    ///
    /// `scratch` is a folder of ours, and of no other process; subfolders are made in it, for the
    /// test and at level `Reduced` for each command, and removed again.
    pub async fn probe(scratch: &Path, wanted: WantedLevel) -> Sandbox {
        match std::env::current_exe() {
            Ok(launcher) => {
                let env = Environment::from_process();
                Sandbox::probe_with(&launcher, scratch, &env, wanted).await
            }
            Err(error) => Sandbox::of(
                PathBuf::new(),
                Err(Lack {
                    why: format!("the path of this program is unknown: {error}"),
                    hint: "start baton by its full path".into(),
                    only_missing: false,
                }),
            ),
        }
    }

    /// As `probe`, with the `baton` binary to launch with (a test is not one) and the environment
    /// whose `PATH` holds `bwrap` and whose `HOME` must stay out of reach.
    pub async fn probe_with(
        launcher: &Path,
        scratch: &Path,
        env: &Environment,
        wanted: WantedLevel,
    ) -> Sandbox {
        reduced::sweep(scratch);
        let instead = match wanted {
            WantedLevel::Reduced => Lack {
                why: "the configuration asks for no more".into(),
                hint: "remove `sandbox.level`".into(),
                only_missing: true,
            },
            WantedLevel::Best | WantedLevel::Full => {
                match probe::full(launcher, scratch, env).await {
                    Ok(full) => return Sandbox::of(launcher.into(), Ok(Walls::Full(full))),
                    Err(lack) => lack,
                }
            }
        };
        if wanted == WantedLevel::Full || !instead.only_missing {
            return Sandbox::of(launcher.into(), Err(instead));
        }
        let reduced = probe::reduced(launcher, scratch, env, &instead).await;
        // What would help most is said first: more than this level's own lack.
        let walls = reduced.map(Walls::Reduced).map_err(|lack| match wanted {
            WantedLevel::Reduced => lack,
            WantedLevel::Best | WantedLevel::Full => Lack {
                why: format!("{}; and at level reduced {}", instead.why, lack.why),
                ..instead
            },
        });
        Sandbox::of(launcher.to_path_buf(), walls)
    }

    fn of(launcher: PathBuf, walls: Result<Walls, Lack>) -> Sandbox {
        Sandbox { found: Arc::new(Found { launcher, walls }), hidden: Vec::new() }
    }

    /// Keeps these folders out of sight even where they lie in one that commands see, e.g. the
    /// user's `.git` when the workspace is below `/opt`.
    #[must_use]
    pub fn hiding(mut self, folders: &[PathBuf]) -> Sandbox {
        self.hidden.extend_from_slice(folders);
        self
    }

    pub fn level(&self) -> SandboxLevel {
        match self.found.walls {
            Ok(Walls::Full(_)) => SandboxLevel::Full,
            Ok(Walls::Reduced(_)) => SandboxLevel::Reduced,
            Err(_) => SandboxLevel::None,
        }
    }

    /// Why the level is `None`.
    pub fn why_not(&self) -> Option<&str> {
        self.found.walls.as_ref().err().map(|it| it.why.as_str())
    }

    /// One line for people: the level and what it consists of, or why there is none and what to do.
    pub fn describe(&self) -> String {
        let limited = |bounded: bool| if bounded { "limited" } else { "limited only by time" };
        match &self.found.walls {
            Ok(Walls::Full(it)) => format!(
                "full: bubblewrap {}, Landlock ABI {}, seccomp; processes {}; self-test {} ms",
                it.bwrap_version,
                it.landlock_abi,
                limited(it.processes_bounded),
                it.took_ms
            ),
            Ok(Walls::Reduced(it)) => format!(
                "reduced: Landlock ABI {}, seccomp, no sockets; processes {}; self-test {} ms; not \
                 full: {}. {}",
                it.landlock_abi,
                limited(it.processes_bounded),
                it.took_ms,
                it.instead.why,
                it.instead.hint
            ),
            Err(lack) => format!("none: {}. {}", lack.why, lack.hint),
        }
    }

    /// Runs a command confined. A time-out and a stop are endings, not failures; after any ending
    /// no process of the command is alive.
    ///
    /// # Errors
    /// `NoSandbox` at level `None` (nothing ran) and when the sandbox could not be set up;
    /// `WorktreeLost` when the slot or its pointer is not what it was; `Command` for other reasons
    /// why nothing could be started.
    pub async fn run(&self, cmd: &Confined, stop: &CancellationToken) -> Result<Finished, Failure> {
        let walls = self.found.walls.as_ref().map_err(|lack| {
            Failure::new(Code::NoSandbox, format!("run a command: no sandbox: {}", lack.why))
                .hint(lack.hint.clone())
        })?;
        check_argv(cmd)?;
        match walls {
            Walls::Full(full) => self.run_full(full, cmd, stop).await,
            Walls::Reduced(reduced) => self.run_reduced(reduced, cmd, stop).await,
        }
    }

    async fn run_full(
        &self,
        full: &Full,
        cmd: &Confined,
        stop: &CancellationToken,
    ) -> Result<Finished, Failure> {
        let mounts = folders::mounts(cmd, &self.hidden)?;
        let inside = bubblewrap::arguments(&mounts, &self.found.launcher, cmd)?;
        let mut args: Vec<OsString> = vec![full.bwrap.clone().into()];
        args.extend(inside);
        let seen = watch::watch(watch::Started {
            launcher: &self.found.launcher,
            args,
            vars: folders::variables(&cmd.env, cmd.network, &folders::Private::inside()),
            scoped: false,
            timeout_ms_max: cmd.timeout_ms_max,
            output_bytes_max: cmd.output_bytes_max,
            stop,
        })
        .await?;
        seen.finished(not_set_up)
    }

    async fn run_reduced(
        &self,
        reduced: &Reduced,
        cmd: &Confined,
        stop: &CancellationToken,
    ) -> Result<Finished, Failure> {
        let launcher = &self.found.launcher;
        let prepared = reduced::prepare(cmd, &self.hidden, launcher, &reduced.scratch)?;
        let seen = watch::watch(watch::Started {
            launcher,
            args: prepared.args.clone(),
            vars: folders::variables(&cmd.env, cmd.network, &prepared.private),
            scoped: true,
            timeout_ms_max: cmd.timeout_ms_max,
            output_bytes_max: cmd.output_bytes_max,
            stop,
        })
        .await?;
        let pointer = prepared.pointer.check();
        // It may be large; nobody waits for it but this run.
        let _ = tokio::task::spawn_blocking(move || prepared.remove()).await;
        pointer?;
        seen.finished(not_set_up)
    }

    /// Runs a command that a person approved, not confined: with the user's own rights, but with a
    /// cleaned environment, a time-out, and nothing left alive that a supervisor can find.
    ///
    /// # Errors
    /// `Command` when it could not be started.
    pub async fn run_unconfined(
        &self,
        cmd: &Confined,
        stop: &CancellationToken,
    ) -> Result<Finished, Failure> {
        check_argv(cmd)?;
        let mut args: Vec<OsString> = vec![
            self.found.launcher.clone().into(),
            LAUNCH_ARGUMENT.into(),
            launcher::PLAIN.into(),
            cmd.dir.clone().into(),
            "--".into(),
        ];
        args.extend(cmd.argv.iter().map(OsString::from));
        let seen = watch::watch(watch::Started {
            launcher: &self.found.launcher,
            args,
            vars: cmd.env.vars.clone(),
            scoped: false,
            timeout_ms_max: cmd.timeout_ms_max,
            output_bytes_max: cmd.output_bytes_max,
            stop,
        })
        .await?;
        seen.finished(|said| Failure::new(Code::Command, format!("start a command: {said}")))
    }
}

/// Runs `argv` confined in `dir` of `slot` with this process's allow-listed environment, for
/// `baton sandbox -- CMD`.
///
/// # Errors
/// As `Sandbox::run`.
pub async fn shell(
    sandbox: &Sandbox,
    argv: &[String],
    dir: &Path,
    slot: &Path,
    stop: &CancellationToken,
) -> Result<Finished, Failure> {
    let cmd = Confined::new(argv, dir, slot, Environment::from_process());
    sandbox.run(&cmd, stop).await
}

fn not_set_up(said: &str) -> Failure {
    Failure::new(Code::NoSandbox, format!("set up the sandbox for a command: {said}"))
        .hint("run `baton doctor`")
}

/// A command has a program, and no argument can hold a zero byte.
fn check_argv(cmd: &Confined) -> Result<(), Failure> {
    let program = cmd.argv.first().map_or("", String::as_str);
    if program.is_empty() {
        return Err(Failure::new(Code::Command, "start a command: it names no program"));
    }
    if cmd.argv.iter().any(|it| it.contains('\0')) {
        return Err(Failure::new(Code::Command, "start a command: an argument holds a zero byte"));
    }
    Ok(())
}
