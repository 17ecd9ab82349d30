//! `baton/viewed`, `baton/report`, `baton/memory` and `baton/checkout`: what a person's time goes
//! into, what came of it, what is remembered, and a result to look at from the inside.

use super::requests::{id, no_task, sides};
use super::{Door, errors};
use crate::hub::now_ms;
use crate::protocol::{
    CheckoutResult, DoneResult, MemoryParams, MemoryView, ReportParams, ReportView, TaskParams,
    ViewedParams,
};
use team::{ApprovalId, Input, Memo, Sign, TaskId};
use tower_lsp::jsonrpc::Result;

impl Door {
    /// `baton/viewed`.
    pub async fn viewed(&self, params: ViewedParams) -> Result<DoneResult> {
        let task = id::<TaskId>(&params.task)?;
        let approval = params.approval.as_deref().map(id::<ApprovalId>).transpose()?;
        let (sign, says) = match params.sign.as_str() {
            "opened" => (Sign::Opened, "is looked at"),
            "working" => (Sign::Working, "is worked on"),
            "closed" => (Sign::Closed, "is no longer looked at"),
            _ => return Err(errors::invalid("`sign` is `opened`, `working` or `closed`")),
        };
        let (repository, hub) = self.repositories.hub(params.repository.as_deref(), None).await?;
        let sent = hub.send(Input::View { task, approval, sign, by: self.person() });
        sent.await.map_err(errors::from_hub)?;
        let (repository, says) = (repository.name.clone(), format!("{task} {says}"));
        Ok(DoneResult { repository, task: task.to_string(), says })
    }

    /// `baton/report`.
    pub async fn report(&self, params: ReportParams) -> Result<ReportView> {
        let (repository, hub) = self.repositories.hub(params.repository.as_deref(), None).await?;
        Ok(ReportView::of(&repository.name, &hub.team(), now_ms(), params.since_at))
    }

    /// `baton/memory`.
    pub async fn memory(&self, params: MemoryParams) -> Result<MemoryView> {
        let task = params.task.as_deref().map(id::<TaskId>).transpose()?;
        let forget = params.forget.as_deref().map(id::<Memo>).transpose()?;
        let (repository, hub) = self.repositories.hub(params.repository.as_deref(), None).await?;
        if let Some(memo) = forget {
            let sent = hub.send(Input::Forget { memo, by: self.person() });
            sent.await.map_err(errors::from_hub)?;
        }
        let team = hub.team();
        if let Some(task) = task.filter(|it| team.task(*it).is_none()) {
            return Err(no_task(task));
        }
        Ok(MemoryView::of(&repository.name, &team, now_ms(), task, params.path.as_deref()))
    }

    /// `baton/checkout`.
    pub async fn checkout(&self, params: TaskParams) -> Result<CheckoutResult> {
        let task = id::<TaskId>(&params.task)?;
        let (repository, hub) = self.repositories.hub(params.repository.as_deref(), None).await?;
        let team = hub.team();
        let Some((_, commit)) = sides(&team, team.task(task).ok_or_else(|| no_task(task))?) else {
            return Err(errors::refused(format!("{task} has not changed anything yet")));
        };
        let dir = hub.checkout(task, commit.clone()).await.map_err(errors::failed)?;
        Ok(CheckoutResult::of(&repository.name, task, &commit, &dir))
    }
}
