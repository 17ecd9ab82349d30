//! `baton sandbox`: runs a command exactly as an agent's command runs, for looking at what an agent
//! could do.

use super::args::{self, Global};
use super::open::{Doing, Here, Trouble, exit};
use super::screen::Screen;
use crate::config::{Config, Home};
use crate::sandbox::{Confined, Environment, Sandbox};
use std::path::PathBuf;
use team::{Code, Exit, Failure};
use tokio_util::sync::CancellationToken;

pub async fn sandbox(
    screen: &Screen,
    global: &Global,
    asked: &args::Sandbox,
) -> Result<u8, Trouble> {
    let doing = "run the command confined";
    let scratch = tempfile::tempdir().doing("make a scratch folder")?;
    let (dir, read_only) = place(global, asked, scratch.path().join("empty"))?;
    let probed = scratch.path().join("probe");
    std::fs::create_dir(&probed).doing("make a scratch folder")?;
    let config = Home::from_env().and_then(|it| Config::load(&it)).doing(doing)?;
    let sandbox = Sandbox::probe(&probed, config.sandbox_level).await;
    let mut command = Confined::new(&asked.command, &dir, &dir, Environment::from_process());
    command.read_only = read_only;
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            stopped.cancel();
        }
    });
    let finished = sandbox.run(&command, &stop).await.doing(doing)?;
    screen.raw(&String::from_utf8_lossy(&finished.output));
    Ok(code(finished.exit))
}

/// The command's own exit code; a signal as shells tell it.
fn code(ended: Exit) -> u8 {
    let code = match ended {
        Exit::Code(code) => code,
        Exit::Signal(signal) => 128 + signal,
        Exit::TimedOut => 124,
        Exit::Interrupted => i32::from(exit::INTERRUPTED),
    };
    u8::try_from(code).unwrap_or(exit::FAILED)
}

/// The folder that the command may write, and what else it sees.
fn place(
    global: &Global,
    asked: &args::Sandbox,
    empty: PathBuf,
) -> Result<(PathBuf, Vec<PathBuf>), Trouble> {
    if let Some(name) = &asked.slot {
        let here = Here::find(global)?;
        let dir = here.state.join("slots").join(name);
        // A name, not a path: nothing outside the slots may be named here.
        if name.contains(['/', '\\']) || name.starts_with('.') || !dir.is_dir() {
            let failure = Failure::new(Code::Git, format!("there is no slot {name}"))
                .hint(format!("slots lie in {}", here.state.join("slots").display()));
            return Err(Trouble::Failed { doing: "find the slot".into(), failure });
        }
        let git = crate::git::Git::open(&here.place, &here.state).doing("open the store")?;
        let mut seen = git.objects_dirs();
        seen.push(git.store_dir().to_path_buf());
        return Ok((dir, seen));
    }
    if let Some(dir) = &asked.dir {
        let dir = dir.canonicalize().doing(format!("open {}", dir.display()))?;
        return Ok((dir, Vec::new()));
    }
    std::fs::create_dir(&empty).doing("make a scratch folder")?;
    Ok((empty, Vec::new()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_code_is_the_commands_own() {
        let codes = [Exit::Code(0), Exit::Code(7), Exit::Signal(9), Exit::TimedOut].map(code);
        assert_eq!(codes, [0, 7, 137, 124]);
    }
}
