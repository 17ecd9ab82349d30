//! Is a result right? The hidden tests are laid over a copy of it, and the task's command runs in the
//! sandbox, without network, in a folder that is thrown away.

use super::manifest::Task;
use crate::cli::open::{Doing, Trouble};
use crate::sandbox::{Confined, Environment, Sandbox};
use std::path::Path;
use team::Exit;
use tokio_util::sync::CancellationToken;

/// A judge that takes longer calls the result wrong.
const JUDGE_MS_MAX: u64 = 5 * 60 * 1000;

/// Whether these files pass the hidden tests.
pub async fn is_right(
    sandbox: &Sandbox,
    task: &Task,
    files: &[(String, String)],
    stop: &CancellationToken,
) -> Result<bool, Trouble> {
    let doing = "judge a result";
    let made = tempfile::Builder::new().prefix("baton-judge-").tempdir().doing(doing)?;
    let dir = made.path().canonicalize().doing(doing)?;
    lay(&dir, files).doing(doing)?;
    lay(&dir, &task.hidden).doing(doing)?;
    let mut command = Confined::new(&task.said.judge, &dir, &dir, Environment::from_process());
    command.timeout_ms_max = JUDGE_MS_MAX;
    let finished = sandbox.run(&command, stop).await.doing(doing)?;
    Ok(finished.exit == Exit::Code(0))
}

fn lay(dir: &Path, files: &[(String, String)]) -> std::io::Result<()> {
    for (path, text) in files {
        let path = dir.join(path);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(path, text)?;
    }
    Ok(())
}
