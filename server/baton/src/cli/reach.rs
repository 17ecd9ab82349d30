//! How a command reaches the team: through the daemon, or in this process. Both answer the same
//! questions, so that what follows and asks doesn't care.

use super::approve::sides;
use super::remote::Remote;
use crate::git::Git;
use crate::hub::{Delegation, Happening, Hub, Refused};
use crate::protocol::{CheckoutResult, ReplayView};
use crate::store::Reader;
use std::sync::Arc;
use team::{Code, Failure, Input, ReceiptId, Refusal, TaskId, Team};
use tokio::sync::{broadcast, watch};

pub enum Reach {
    /// The hub is in this process.
    Here(Hub),
    /// The hub is in the daemon.
    There(Remote),
}

impl Reach {
    /// What is true now. After an answer of the hub's, what followed from it is in here.
    pub fn team(&self) -> Arc<Team> {
        match self {
            Reach::Here(hub) => hub.team(),
            Reach::There(it) => it.team(),
        }
    }

    pub fn watch(&self) -> watch::Receiver<Arc<Team>> {
        match self {
            Reach::Here(hub) => hub.watch(),
            Reach::There(it) => it.watch(),
        }
    }

    pub fn happenings(&self) -> broadcast::Receiver<Happening> {
        match self {
            Reach::Here(hub) => hub.happenings(),
            Reach::There(it) => it.happenings(),
        }
    }

    pub fn reader(&self) -> Result<Reader, Failure> {
        match self {
            Reach::Here(hub) => hub.reader(),
            Reach::There(it) => it.reader(),
        }
    }

    pub fn git(&self) -> &Git {
        match self {
            Reach::Here(hub) => hub.git(),
            Reach::There(it) => it.git(),
        }
    }

    pub async fn send(&self, input: Input) -> Result<(), Refused> {
        match self {
            Reach::Here(hub) => hub.send(input).await.map(|_| ()),
            Reach::There(it) => it.send(input).await,
        }
    }

    pub async fn delegate(&self, delegation: Delegation) -> Result<TaskId, Refused> {
        match self {
            Reach::Here(hub) => hub.delegate(delegation).await,
            Reach::There(it) => it.delegate(delegation).await,
        }
    }

    pub async fn replay(&self, receipt: ReceiptId) -> Result<ReplayView, Failure> {
        match self {
            Reach::Here(hub) => {
                let team = hub.team();
                let missing = || Failure::new(Code::Store, "there is no such receipt");
                let then = team.receipt(receipt).ok_or_else(missing)?;
                let seen = hub.replay(receipt).await?;
                let output = String::from_utf8_lossy(&seen.output).into_owned();
                Ok(ReplayView::of(then, seen.exit, seen.tests.as_ref(), output))
            }
            Reach::There(it) => it.replay(receipt).await,
        }
    }

    /// A folder with the files of a task's result.
    pub async fn checkout(&self, task: TaskId) -> Result<CheckoutResult, Refused> {
        let team = self.team();
        if team.task(task).is_none() {
            return Err(Refused::Refusal(Refusal::NoSuchTask(task)));
        }
        let hub = match self {
            Reach::Here(hub) => hub,
            Reach::There(it) => return it.checkout(task).await,
        };
        let Some((_, commit)) = sides(&team, task) else {
            let none = format!("{task} has not changed anything yet");
            return Err(Refused::Refusal(Refusal::Not(none)));
        };
        let dir = hub.checkout(task, commit.clone()).await.map_err(Refused::Failure)?;
        let name = hub.state_dir().file_name().unwrap_or_default().to_string_lossy();
        Ok(CheckoutResult::of(&name, task, &commit, &dir))
    }

    /// Why what is followed can't be followed any more, if that is so.
    pub fn lost(&self) -> Option<Failure> {
        match self {
            Reach::Here(_) => None,
            Reach::There(it) => it.lost(),
        }
    }

    /// Ends what this command began: a hub in this process stops, one in the daemon goes on.
    pub async fn close(&self) {
        match self {
            Reach::Here(hub) => hub.clone().close().await,
            Reach::There(it) => it.close(),
        }
    }
}
