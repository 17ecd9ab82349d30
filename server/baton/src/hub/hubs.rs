//! The open hubs of a process, one per repository, shared by everybody who asks: two editors on one
//! repository see one board.

use super::Hub;
use crate::config::{Config, Home};
use crate::git::Place;
use crate::model::local;
use crate::protocol::RepositoryStatus;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use team::{Code, Failure, jobs};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

/// Repositories that may be open at once.
const REPOSITORIES_MAX: usize = 256;

/// Cheap to clone.
#[derive(Clone)]
pub struct Hubs {
    home: Home,
    all: Arc<Mutex<BTreeMap<PathBuf, Arc<Spot>>>>,
    /// Nothing is opened any more.
    closed: CancellationToken,
}

/// One repository's place among them. Locked while it is being opened.
type Spot = Mutex<Option<(Hub, Config)>>;

impl Hubs {
    pub fn new(home: Home) -> Hubs {
        Hubs { home, all: Arc::default(), closed: CancellationToken::new() }
    }

    pub fn home(&self) -> &Home {
        &self.home
    }

    /// The hub of a repository, opened if it isn't. Where the user's configuration has changed and
    /// nothing is under way, it is opened anew. Errors: as of `Hub::open`, and of the configuration.
    pub async fn open(&self, place: &Place) -> Result<Hub, Failure> {
        let home = self.home.clone();
        let mut config = super::blocking(move || Config::load(&home)).await?;
        if let Some(found) = local::fill_in(&mut config).await {
            tracing::info!("{}", found.sentence());
        }
        let mut all = self.all.lock().await;
        if self.closed.is_cancelled() {
            return Err(Failure::new(Code::Interrupted, "open this repository: Baton is ending"));
        }
        let known = all.contains_key(&place.common_dir);
        if !known && REPOSITORIES_MAX <= all.len() {
            return Err(Failure::new(Code::Config, "open one more repository: too many are open")
                .hint("close some: baton daemon stop"));
        }
        let here = Arc::clone(all.entry(place.common_dir.clone()).or_default());
        drop(all);
        let mut here = here.lock().await;
        if let Some((hub, of)) = here.as_ref()
            && !hub.is_closed()
            && (*of == config || is_busy(hub))
        {
            return Ok(hub.clone());
        }
        if let Some((hub, _)) = here.take() {
            hub.close().await;
        }
        let hub = Hub::open(place.clone(), self.home.clone(), config.clone()).await?;
        *here = Some((hub.clone(), config));
        Ok(hub)
    }

    /// One line for each open repository; one that is just being opened counts as busy.
    pub async fn status(&self) -> Vec<RepositoryStatus> {
        let mut found = Vec::new();
        for (dir, it) in self.all.lock().await.iter() {
            let Ok(here) = it.try_lock() else {
                let repository = dir.display().to_string();
                found.push(RepositoryStatus { repository, under_way: 1, waiting: 0 });
                continue;
            };
            if let Some((hub, _)) = here.as_ref().filter(|it| !it.0.is_closed()) {
                let team = hub.team();
                let name = hub.state_dir().file_name().unwrap_or_default();
                found.push(RepositoryStatus {
                    repository: name.to_string_lossy().into_owned(),
                    under_way: jobs(&team).len(),
                    waiting: team.waiting_approvals().count() + team.waiting_questions().count(),
                });
            }
        }
        found
    }

    /// Something is under way in one of them.
    pub async fn is_busy(&self) -> bool {
        self.status().await.iter().any(|it| 0 < it.under_way)
    }

    /// Closes all. Nothing is decided by it: what was under way goes on when they are opened again.
    pub async fn close(&self) {
        self.closed.cancel();
        let all = std::mem::take(&mut *self.all.lock().await);
        let close = all.into_values().map(|it| async move {
            if let Some((hub, _)) = it.lock().await.take() {
                hub.close().await;
            }
        });
        futures_util::future::join_all(close).await;
    }
}

fn is_busy(hub: &Hub) -> bool {
    !jobs(&hub.team()).is_empty()
}
