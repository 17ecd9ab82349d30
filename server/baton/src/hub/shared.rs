//! What every job of a hub needs and none of them changes.

use super::{Editor, blocking};
use crate::config::{self, Config, Home, TeamFile};
use crate::git::{Git, Place};
use crate::model::Model;
use crate::sandbox::{Environment, Sandbox};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use team::{Code, Failure, Limits, SandboxLevel};
use tokio::sync::{OnceCell, Semaphore};

pub(super) struct Shared {
    pub(super) place: Place,
    pub(super) git: Git,
    /// This repository's state folder.
    pub(super) dir: PathBuf,
    pub(super) home: Home,
    pub(super) config: Config,
    pub(super) environment: Environment,
    pub(super) sandbox: OnceCell<Sandbox>,
    pub(super) model: OnceCell<Model>,
    pub(super) editor: OnceLock<Editor>,
    /// The server's check slots, by number.
    pub(super) check_slots: Slots,
}

/// A pool of slot names of one kind. A name that is out is nobody else's.
pub(super) struct Slots {
    kind: &'static str,
    free: std::sync::Mutex<Vec<u32>>,
    permits: Arc<Semaphore>,
}

/// One slot's name, given back when dropped.
pub(super) struct Leased<'a> {
    slots: &'a Slots,
    number: u32,
    _permit: tokio::sync::OwnedSemaphorePermit,
}

/// What this machine can do for the team, for `doctor` and for those who start a task.
#[derive(Clone, Debug)]
pub struct Health {
    pub sandbox: SandboxLevel,
    /// What was found, or why there is none.
    pub sandbox_says: String,
}

impl Shared {
    pub(super) async fn open(
        place: Place,
        home: Home,
        config: Config,
        dir: PathBuf,
    ) -> Result<Shared, Failure> {
        let git = {
            let (place, dir) = (place.clone(), dir.clone());
            blocking(move || Git::open(&place, &dir)).await?
        };
        let checks = config.checks_at_once_max.max(1);
        Ok(Shared {
            place,
            git,
            dir,
            home,
            config,
            environment: Environment::from_process(),
            sandbox: OnceCell::new(),
            model: OnceCell::new(),
            editor: OnceLock::new(),
            check_slots: Slots::new("c", checks),
        })
    }

    pub(super) fn limits(&self) -> Limits {
        self.config.limits.clone()
    }

    /// The sandbox, tested once, when it is first needed.
    pub(super) async fn sandbox(&self) -> &Sandbox {
        self.sandbox.get_or_init(|| Sandbox::probe(&self.dir)).await
    }

    /// The model, opened when it is first needed. Errors: `Config` when none is configured.
    pub(super) async fn model(&self) -> Result<&Model, Failure> {
        self.model
            .get_or_try_init(|| async {
                match &self.config.model {
                    Some(model) => Model::open(model).await,
                    None => Err(config::no_model_message()),
                }
            })
            .await
    }

    /// The team file, if the user trusts exactly what it says.
    pub(super) async fn team_file(&self) -> Result<Option<TeamFile>, Failure> {
        let (home, place) = (self.home.clone(), self.place.clone());
        blocking(move || {
            let found = config::trust::team_file(&home, &place.root, &place.common_dir)?;
            Ok(found.0)
        })
        .await
    }

    pub(super) fn health(&self) -> Health {
        match self.sandbox.get() {
            Some(it) => Health { sandbox: it.level(), sandbox_says: it.describe() },
            None => Health { sandbox: SandboxLevel::None, sandbox_says: "not tested yet".into() },
        }
    }

    /// The build cache of a slot: kept, so that builds stay incremental.
    pub(super) fn cache(&self, slot: &str) -> Result<PathBuf, Failure> {
        let dir = self.dir.join("cache").join(slot);
        std::fs::create_dir_all(&dir)
            .map_err(|it| Failure::new(Code::Store, format!("make a build cache: {it}")))?;
        Ok(dir)
    }
}

impl Slots {
    pub(super) fn new(kind: &'static str, at_once_max: u32) -> Slots {
        let free = std::sync::Mutex::new((1..=at_once_max).rev().collect());
        Slots { kind, free, permits: Arc::new(Semaphore::new(at_once_max as usize)) }
    }

    /// Waits for a free slot.
    pub(super) async fn lease(&self) -> Result<Leased<'_>, Failure> {
        let gone = || Failure::new(Code::Interrupted, "get a slot: the hub is closing");
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| gone())?;
        let number = self.free.lock().map_err(|_| gone())?.pop().ok_or_else(gone)?;
        Ok(Leased { slots: self, number, _permit: permit })
    }
}

impl Leased<'_> {
    pub(super) fn name(&self) -> String {
        format!("{}{}", self.slots.kind, self.number)
    }
}

impl Drop for Leased<'_> {
    fn drop(&mut self) {
        if let Ok(mut free) = self.slots.free.lock() {
            free.push(self.number);
        }
    }
}
