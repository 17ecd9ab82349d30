//! The repositories of this editor's workspace folders, each with its hub.
//!
//! Finding and opening them reads disks and databases, so it goes on in the background; who needs
//! one that isn't open yet waits for it, for a while.

use super::errors;
use crate::git::{self, Place};
use crate::hub::{Hub, Hubs};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use team::{Code, Failure};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use tower_lsp::jsonrpc;

/// How long a request waits for its repository to be opened.
const OPENING_MS_MAX: u64 = 20_000;

/// How far a hub is.
#[derive(Clone)]
pub enum Stage {
    Opening,
    Open(Hub),
    Failed(Failure),
}

/// One repository, known by its root and opened in the background.
pub struct Repository {
    /// Its name on the wire: the name of its folder in the state directory.
    pub name: String,
    /// Links resolved.
    pub root: PathBuf,
    pub place: Place,
    state: watch::Sender<Stage>,
}

impl Repository {
    /// The hub, if it is open now. Never waits.
    pub fn open_now(&self) -> Option<Hub> {
        match &*self.state.borrow() {
            Stage::Open(hub) => Some(hub.clone()),
            Stage::Opening | Stage::Failed(_) => None,
        }
    }

    pub fn failure(&self) -> Option<Failure> {
        match &*self.state.borrow() {
            Stage::Failed(failure) => Some(failure.clone()),
            Stage::Opening | Stage::Open(_) => None,
        }
    }
}

/// All repositories of one connection.
pub struct Repositories {
    hubs: Hubs,
    /// The connection has ended.
    over: CancellationToken,
    all: watch::Sender<Vec<Arc<Repository>>>,
    /// The folders of the workspace, links resolved.
    folders: watch::Sender<Vec<PathBuf>>,
    /// Folders still being looked at.
    looking: watch::Sender<usize>,
    /// Why a folder is no repository that can be used.
    refused: watch::Sender<Vec<Failure>>,
    /// Told whenever something here changed.
    changed: Arc<Notify>,
}

impl Repositories {
    pub fn new(hubs: Hubs, over: CancellationToken, changed: Arc<Notify>) -> Repositories {
        Repositories {
            hubs,
            over,
            all: watch::Sender::new(Vec::new()),
            folders: watch::Sender::new(Vec::new()),
            looking: watch::Sender::new(0),
            refused: watch::Sender::new(Vec::new()),
            changed,
        }
    }

    pub fn all(&self) -> Vec<Arc<Repository>> {
        self.all.borrow().clone()
    }

    /// None is known and none is being looked for.
    pub fn is_empty(&self) -> bool {
        *self.looking.borrow() == 0 && self.all.borrow().is_empty()
    }

    /// Looks for the repository of a folder and opens its hub, in the background.
    pub fn add(self: &Arc<Self>, folder: PathBuf) {
        self.looking.send_modify(|it| *it += 1);
        self.folders.send_modify(|it| it.push(folder.clone()));
        let this = self.clone();
        tokio::spawn(async move {
            let path = folder.clone();
            let found = tokio::task::spawn_blocking(move || git::find(&path)).await;
            match found {
                Ok(Ok(place)) => this.found(place),
                Ok(Err(failure)) => {
                    tracing::info!(folder = %folder.display(), %failure, "no repository");
                    this.refused.send_modify(|it| it.push(failure));
                }
                Err(_) => tracing::error!("looking for a repository panicked"),
            }
            this.looking.send_modify(|it| *it -= 1);
            this.changed.notify_one();
        });
    }

    /// A folder that is none of the workspace's any more. Its repository stays open, since its tasks go
    /// on, and answers to its name; without a name it is not meant.
    pub fn remove(&self, folder: &Path) {
        self.folders.send_modify(|all| {
            if let Some(at) = all.iter().position(|it| it == folder) {
                all.swap_remove(at);
            }
        });
    }

    /// The repositories of the workspace's folders; all that are known where no folder has one.
    fn in_workspace(&self) -> Vec<Arc<Repository>> {
        let mut res: Vec<Arc<Repository>> = Vec::new();
        for it in self.folders.borrow().iter().filter_map(|it| self.of(it)) {
            if !res.iter().any(|known| Arc::ptr_eq(known, &it)) {
                res.push(it);
            }
        }
        if res.is_empty() { self.all() } else { res }
    }

    fn found(self: &Arc<Self>, place: Place) {
        let root = super::places::resolve(&place.root);
        let known = |it: &Arc<Repository>| it.place.common_dir == place.common_dir;
        let mut new = None;
        self.all.send_if_modified(|all| {
            if all.iter().any(known) {
                return false;
            }
            let dir = self.hubs.home().repository_dir(&place.name, &place.common_dir);
            let name = dir.file_name().map(|it| it.to_string_lossy().into_owned());
            let repository = Arc::new(Repository {
                name: name.unwrap_or_default(),
                root,
                place: place.clone(),
                state: watch::Sender::new(Stage::Opening),
            });
            all.push(repository.clone());
            new = Some(repository);
            true
        });
        if let Some(repository) = new {
            self.open(repository);
        }
    }

    fn open(self: &Arc<Self>, repository: Arc<Repository>) {
        let this = self.clone();
        let keep_open = async move {
            loop {
                let opened = this.hubs.open(&repository.place).await;
                let hub = opened.as_ref().ok().cloned();
                repository.state.send_replace(match opened {
                    Ok(hub) => Stage::Open(hub),
                    Err(failure) => Stage::Failed(failure),
                });
                this.changed.notify_one();
                let Some(hub) = hub else { return };
                let mut team = hub.watch();
                drop(hub);
                while team.changed().await.is_ok() {}
                // It was closed beneath us: opened anew with another configuration, or broken.
                repository.state.send_replace(Stage::Opening);
            }
        };
        let over = self.over.clone();
        tokio::spawn(async move { over.run_until_cancelled(keep_open).await });
    }

    /// The repository that a file lies in. The innermost, where one contains another.
    pub fn of(&self, path: &Path) -> Option<Arc<Repository>> {
        let all = self.all();
        let around = all.iter().filter(|it| path.starts_with(&it.root));
        around.max_by_key(|it| it.root.as_os_str().len()).cloned()
    }

    /// The one that is meant: by name, by a file in it, or the only one there is. Never waits.
    fn meant(&self, name: Option<&str>, file: Option<&Path>) -> Result<Arc<Repository>, Failure> {
        let all = self.all();
        if let Some(name) = name {
            let found = all.iter().find(|it| it.name == name).cloned();
            let unknown =
                || Failure::new(Code::Git, format!("no repository `{name}` is open here"));
            return found.ok_or_else(unknown);
        }
        if let Some(found) = file.and_then(|it| self.of(it)) {
            return Ok(found);
        }
        match self.in_workspace().as_slice() {
            [only] => Ok(only.clone()),
            [] => {
                let refused = self.refused.borrow().first().cloned();
                let hint = "open a folder of a git repository";
                let none = || Failure::new(Code::Git, "no repository is open here").hint(hint);
                Err(refused.unwrap_or_else(none))
            }
            [_, _, ..] => Err(Failure::new(Code::Git, "several repositories are open here")
                .hint("say which one with `repository`")),
        }
    }

    /// The hub that is meant. Where it is open there is no await before the answer, so that what
    /// the caller enqueues next keeps the order of the messages.
    pub async fn hub(
        self: &Arc<Self>,
        name: Option<&str>,
        file: Option<&Path>,
    ) -> jsonrpc::Result<(Arc<Repository>, Hub)> {
        // Which one is "the only one" isn't known while a new folder is still being looked at.
        let is_known = name.is_some() || file.is_some() || *self.looking.borrow() == 0;
        if is_known
            && let Ok(found) = self.meant(name, file)
            && let Some(hub) = found.open_now()
        {
            return Ok((found, hub));
        }
        let wait = Duration::from_millis(OPENING_MS_MAX);
        match tokio::time::timeout(wait, self.wait(name, file)).await {
            Ok(found) => found,
            Err(_) => Err(errors::opening()),
        }
    }

    async fn wait(
        self: &Arc<Self>,
        name: Option<&str>,
        file: Option<&Path>,
    ) -> jsonrpc::Result<(Arc<Repository>, Hub)> {
        let mut looking = self.looking.subscribe();
        let _ = looking.wait_for(|it| *it == 0).await;
        let found = self.meant(name, file).map_err(errors::unknown)?;
        // What stopped it may have gone: another process's lock, a mistake in the configuration.
        if found.failure().is_some() {
            found.state.send_replace(Stage::Opening);
            self.open(found.clone());
        }
        let mut state = found.state.subscribe();
        let opened = state.wait_for(|it| !matches!(it, Stage::Opening)).await;
        let opened = opened.map(|it| it.clone());
        match opened {
            Ok(Stage::Open(hub)) => Ok((found, hub)),
            Ok(Stage::Failed(failure)) => Err(errors::failed(failure)),
            Ok(Stage::Opening) | Err(_) => Err(errors::opening()),
        }
    }
}
