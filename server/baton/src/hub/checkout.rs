//! A result for a person to open: one checkout is made at a time.

use super::{Hub, blocking};
use std::path::PathBuf;
use team::{CommitId, Failure, TaskId};

impl Hub {
    /// The folder of a checkout of this commit of a task's. Errors: `Git`, `DiskFull`.
    pub async fn checkout(&self, task: TaskId, commit: CommitId) -> Result<PathBuf, Failure> {
        let _alone = self.shared.checkouts.lock().await;
        let git = self.shared.git.clone();
        blocking(move || git.checkout(task, &commit)).await
    }
}
