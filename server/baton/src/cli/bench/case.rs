//! One case: a task delegated in a scratch folder under the strict rule, and what became of it.

use super::manifest::Task;
use crate::cli::follow::{Standing, standing};
use crate::cli::open::{Doing, Trouble};
use crate::cli::screen::{Screen, safe};
use crate::cli::stage::Stage;
use crate::config::Config;
use crate::hub::{Delegation, Happening, Hub};
use team::{Code, End, Failure, Input, Origin, Parked, Start, TaskId, Team, Work};

/// Who does the task.
pub enum Engineer<'a> {
    /// This script.
    Played(String),
    /// The model of this configuration.
    Model(&'a Config),
}

/// How it ended.
pub struct Ended {
    pub landed: bool,
    /// What stopped it; empty where it landed.
    pub why: String,
    /// The project with the Engineer's last change in it; `None`: nothing was ever handed over.
    pub result: Option<Vec<(String, String)>>,
    pub micros: u64,
    pub calls: u32,
}

/// Plays the case to its end. Ctrl-C parks it and ends the bench.
pub async fn play(screen: &Screen, task: &Task, by: Engineer<'_>) -> Result<Ended, Trouble> {
    let stage = Stage::set(&task.name, &task.base, "")?;
    let config = match by {
        Engineer::Played(script) => {
            stage.play(&script)?;
            Config::load(&stage.here.home).doing("read the bench's configuration")?
        }
        Engineer::Model(config) => config.clone(),
    };
    let here = &stage.here;
    let hub = Hub::open(here.place.clone(), here.home.clone(), config).await;
    let hub = hub.doing("open the bench's repository")?;
    hub.notes().iter().for_each(|it| screen.note(format!("baton: {}", safe(it))));
    let ended = delegate(&hub, task).await;
    hub.close().await;
    ended
}

async fn delegate(hub: &Hub, task: &Task) -> Result<Ended, Trouble> {
    let delegation =
        Delegation { land_by_rule: true, ..Delegation::new(&task.said.brief, Origin::CommandLine) };
    let id = hub.delegate(delegation).await.doing("delegate")?;
    let (mut watch, mut heard) = (hub.watch(), hub.happenings());
    let mut refused = None;
    loop {
        let team = watch.borrow_and_update().clone();
        while let Ok(it) = heard.try_recv() {
            if let Happening::HandoffRefused { why, .. } = it {
                refused = Some(why);
            }
        }
        if standing(&team, id) != Standing::Busy {
            break;
        }
        tokio::select! {
            changed = watch.changed() => if changed.is_err() {
                break;
            },
            _ = tokio::signal::ctrl_c() => {
                // Refused where it ended just now, which is as good.
                let _ = hub.send(Input::Park { task: id }).await;
                let failure = Failure::new(Code::Interrupted, "Ctrl-C");
                return Err(failure).doing("finish the bench");
            }
        }
    }
    ended(hub, task, id, refused)
}

/// `refused`: what the server said to the last hand-over that it did not take.
fn ended(hub: &Hub, task: &Task, id: TaskId, refused: Option<String>) -> Result<Ended, Trouble> {
    let team = hub.team();
    let (landed, ended) = match standing(&team, id) {
        Standing::Closed(End::Landed { .. }) => (true, String::new()),
        Standing::Waits(waits) => (false, format!("{waits:?} waits for a person")),
        Standing::Parked(Parked::NeedsPerson(why)) => (false, why),
        Standing::Parked(Parked::Failed(failure)) => (false, failure.to_string()),
        Standing::Parked(Parked::Stopped) => (false, "stopped".to_owned()),
        Standing::Closed(end) => (false, format!("{end:?}")),
        Standing::Busy => (false, "the team ended".to_owned()),
    };
    let why = if landed { ended } else { sent_back(&team).or(refused).unwrap_or(ended) };
    let it = team.task(id);
    let result = match it.and_then(|it| Some((it.base.as_ref()?, it.head.as_ref()?))) {
        Some((base, head)) => Some(changed(hub, task, &base.seen, &head.commit)?),
        None => None,
    };
    let spent = it.map(|it| it.spent).unwrap_or_default();
    Ok(Ended { landed, why, result, micros: spent.micros, calls: spent.calls })
}

/// Why the last build was sent back to the Engineer.
fn sent_back(team: &Team) -> Option<String> {
    team.runs.values().rev().find_map(|it| match &it.work {
        Work::Role { start: Start::Continues { text, .. }, .. } => Some(text.clone()),
        Work::Role { start: Start::Fresh, .. } | Work::Checks { .. } | Work::Setup { .. } => None,
    })
}

/// The base with what changed between these commits.
fn changed(
    hub: &Hub,
    task: &Task,
    from: &team::CommitId,
    to: &team::CommitId,
) -> Result<Vec<(String, String)>, Trouble> {
    let doing = "read the result";
    let mut files = task.base.clone();
    for diff in hub.git().files(from, to).doing(doing)? {
        files.retain(|it| it.0 != diff.change.path && diff.old_path.as_ref() != Some(&it.0));
        if let Some(text) = hub.git().read(to, &diff.change.path).doing(doing)? {
            files.push((diff.change.path, String::from_utf8_lossy(&text).into_owned()));
        }
    }
    Ok(files)
}
