//! What every job of a hub needs and none of them changes.

use super::editor::Editors;
use super::{blocking, ports};
use crate::config::{self, Config, Home, ModelConfig, TeamFile};
use crate::git::{Git, Place};
use crate::model::Model;
use crate::sandbox::{Environment, Sandbox};
use std::path::PathBuf;
use team::{Code, Failure, Limits, Role, SandboxLevel, TaskId, Team};
use tokio::sync::{Mutex, Notify, OnceCell};

pub(super) struct Shared {
    pub(super) place: Place,
    pub(super) git: Git,
    /// This repository's state folder.
    pub(super) dir: PathBuf,
    pub(super) home: Home,
    pub(super) config: Config,
    pub(super) environment: Environment,
    pub(super) sandbox: OnceCell<Sandbox>,
    /// Those that were needed so far. Roles with the same configuration share one.
    models: Mutex<Vec<(ModelConfig, Model)>>,
    pub(super) editors: Editors,
    /// The server's check slots, by number.
    pub(super) check_slots: Slots,
    /// Held while a result is checked out for a person.
    pub(super) checkouts: Mutex<()>,
}

/// A pool of slot names of one kind. A name that is out is nobody else's. A task gets the slot back
/// that it had: it is warm, and holds nearly the right files.
pub(super) struct Slots {
    kind: &'static str,
    places: std::sync::Mutex<Vec<SlotPlace>>,
    given_back: Notify,
}

struct SlotPlace {
    number: u32,
    is_out: bool,
    last: Option<TaskId>,
}

/// One slot's name, given back when dropped.
pub(super) struct Leased<'a> {
    slots: &'a Slots,
    number: u32,
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
            blocking(move || Git::open_as_owner(&place, &dir)).await?
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
            models: Mutex::default(),
            editors: Editors::none(),
            check_slots: Slots::new("c", checks),
            checkouts: Mutex::default(),
        })
    }

    pub(super) fn limits(&self) -> Limits {
        self.config.limits.clone()
    }

    /// The sandbox, tested once, when it is first needed.
    pub(super) async fn sandbox(&self) -> &Sandbox {
        // The person's `.git` is invisible even where a folder above it is not.
        let git = [self.place.common_dir.clone()];
        let wanted = self.config.sandbox_level;
        self.sandbox
            .get_or_init(|| async { Sandbox::probe(&self.dir, wanted).await.hiding(&git) })
            .await
    }

    /// The model of a role, opened when it is first needed. `begins_anew`: after builds that failed.
    /// Errors: `Key` when none is configured, and those of `Model::open`.
    pub(super) async fn model(&self, role: Role, begins_anew: bool) -> Result<Model, Failure> {
        let config = self.config.model_of(role, begins_anew);
        let config = config.ok_or_else(config::no_model_message)?;
        let mut models = self.models.lock().await;
        if let Some((_, model)) = models.iter().find(|it| it.0 == config) {
            return Ok(model.clone());
        }
        let model = Model::open(&config).await?;
        models.push((config, model.clone()));
        Ok(model)
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

    /// What the commands of a task run with: the variables that it was delegated with; of a task that
    /// came without any, this process's.
    pub(super) fn environment_of(&self, team: &Team, task: TaskId) -> Environment {
        let own = team.task(task).map(|it| &it.brief.environment).filter(|it| !it.is_empty());
        own.map_or_else(|| self.environment.clone(), Environment::from_profile)
    }

    /// The repository, seen from the worktree that the task was delegated from.
    pub(super) fn git_of(&self, team: &Team, task: TaskId) -> Result<Git, Failure> {
        let worktree = team.task(task).and_then(|it| it.brief.worktree.as_deref());
        self.git.in_worktree(worktree)
    }

    /// Whether this slot is of a kind that is counted, with a number beyond what runs at once: nobody
    /// will lease it again.
    pub(super) fn is_spare(&self, slot: &str) -> bool {
        let max = match slot.get(..1) {
            Some("e" | "t") => self.config.runs_at_once_max,
            Some("c") => self.config.checks_at_once_max,
            Some(_) | None => return false,
        };
        slot[1..].parse::<u32>().is_ok_and(|it| max.max(1) < it)
    }

    /// Deletes the build cache of a slot that is gone.
    pub(super) fn drop_cache(&self, slot: &str) -> Result<(), Failure> {
        match std::fs::remove_dir_all(self.dir.join("cache").join(slot)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(Failure::new(Code::Store, format!("delete a build cache: {error}")))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// This environment for commands in a slot: with ten ports that no other slot of the user's has.
    pub(super) fn environment_in(
        &self,
        slot: &str,
        mut environment: Environment,
    ) -> Result<Environment, Failure> {
        let name = self.dir.file_name().unwrap_or_default().to_string_lossy();
        let port = ports::block(&self.home.state_dir, &name, slot)?.to_string();
        for variable in ["BATON_PORT_BASE", "PORT"] {
            environment.vars.insert(variable.into(), port.clone());
        }
        let count = ports::PORTS_PER_SLOT.to_string();
        environment.vars.insert("BATON_PORT_COUNT".into(), count);
        Ok(environment)
    }

    /// The patterns of `.worktreeinclude`, if the user trusts exactly what they say; else none.
    pub(super) async fn include(&self) -> Result<String, Failure> {
        let (home, place) = (self.home.clone(), self.place.clone());
        blocking(move || config::trust::worktree_include(&home, &place.root, &place.common_dir))
            .await
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
        let place = |number| SlotPlace { number, is_out: false, last: None };
        let places = std::sync::Mutex::new((1..=at_once_max).map(place).collect());
        Slots { kind, places, given_back: Notify::new() }
    }

    /// Waits for a slot: the task's own where it had one, and was not given to another since.
    pub(super) async fn lease(&self, task: TaskId) -> Leased<'_> {
        loop {
            let given_back = self.given_back.notified();
            if let Some(number) = self.take(task) {
                return Leased { slots: self, number };
            }
            given_back.await;
        }
    }

    fn take(&self, task: TaskId) -> Option<u32> {
        let mut places = self.places.lock().ok()?;
        let first = |fits: &dyn Fn(&SlotPlace) -> bool| places.iter().position(fits);
        let own = first(&|it| it.last == Some(task));
        let unused = first(&|it| !it.is_out && it.last.is_none());
        let free = first(&|it| !it.is_out);
        let place = &mut places[own.or(unused).or(free)?];
        if place.is_out {
            return None;
        }
        (place.is_out, place.last) = (true, Some(task));
        Some(place.number)
    }

    /// Waits until none is out.
    pub(super) async fn all_back(&self) {
        loop {
            let given_back = self.given_back.notified();
            let is_out = |it: &Vec<SlotPlace>| it.iter().any(|it| it.is_out);
            if !self.places.lock().is_ok_and(|it| is_out(&it)) {
                return;
            }
            given_back.await;
        }
    }
}

impl Leased<'_> {
    pub(super) fn name(&self) -> String {
        format!("{}{}", self.slots.kind, self.number)
    }
}

impl Drop for Leased<'_> {
    fn drop(&mut self) {
        if let Ok(mut places) = self.slots.places.lock() {
            let mine = places.iter_mut().filter(|it| it.number == self.number);
            mine.for_each(|it| it.is_out = false);
        }
        self.slots.given_back.notify_waiters();
    }
}
