//! The `baton/*` requests.

use super::repositories::Repository;
use super::selection::{self, Wish};
use super::{Door, answers, errors, places};
use crate::hub::{Delegation, blocking, file_view};
use crate::protocol::{
    AnswerApprovalParams, AnswerApprovalResult, AnswerQuestionParams, BoardParams, BoardView,
    DOOR_TERMINAL, DelegateParams, DelegateResult, DiffView, DoneResult, ReplayParams, ReplayView,
    SayParams, TaskParams, TaskView,
};
use crate::{fail, git};
use futures_util::FutureExt;
use std::path::PathBuf;
use std::str::FromStr;
use team::{
    ApprovalId, By, ChangeId, Code, CommitId, Failure, Input, QuestionId, ReceiptId, StartFrom,
    Subject, Task, TaskId, Team,
};
use tokio::sync::watch;
use tower_lsp::jsonrpc::Result;

/// A brief's own words; longer ones belong in a file.
const TEXT_CHARS_MAX: usize = 20_000;
/// The command line reads whole reports.
const TYPED_CHARS_MAX: usize = 1 << 20;
/// Keys of delegations that are remembered; older ones are forgotten first.
const KEYS_MAX: usize = 256;

/// A delegation that the client gave a key of its own, and its result once there is one.
pub type Keyed = (String, watch::Receiver<Option<Result<DelegateResult>>>);

pub fn id<T: FromStr<Err = String>>(text: &str) -> Result<T> {
    text.parse().map_err(errors::invalid)
}

/// What a delegation says, worked out before the first await: the documents as they are now.
struct Meant {
    text: String,
    wish: Wish,
    start: StartFrom,
    class: Option<team::Class>,
    budget: team::Budget,
    /// The document's file and what was pointed at in it; the path is absolute still.
    pointed: Option<(PathBuf, Option<team::Place>)>,
}

impl Door {
    /// `baton/delegate`.
    pub async fn delegate(&self, params: DelegateParams) -> Result<DelegateResult> {
        let Some(key) = params.key.clone() else {
            return self.delegate_once(params).await;
        };
        let mut known = None;
        let mut done = None;
        self.keys.send_modify(|keys| {
            known = keys.iter().find(|it| it.0 == key).map(|it| it.1.clone());
            if known.is_none() {
                let (sender, receiver) = watch::channel(None);
                keys.push((key.clone(), receiver));
                let surplus = keys.len().saturating_sub(KEYS_MAX);
                keys.drain(..surplus);
                done = Some(sender);
            }
        });
        if let Some(mut known) = known {
            let result = known.wait_for(Option::is_some).await;
            let result = result.ok().and_then(|it| it.clone());
            return result.unwrap_or_else(|| Err(errors::opening()));
        }
        // On a task of its own: a cancelled request must not leave a key without a result.
        let door = self.clone();
        let mut work = Box::pin(async move {
            let result = door.delegate_once(params).await;
            if result.is_err() {
                door.keys.send_modify(|keys| keys.retain(|it| it.0 != key));
            }
            if let Some(done) = done {
                done.send_replace(Some(result.clone()));
            }
            result
        });
        // The first poll is here, so that it is enqueued in its order.
        if let Some(result) = (&mut work).now_or_never() {
            return result;
        }
        let bug = |_| Err(errors::failed(Failure::new(Code::Bug, "the delegation panicked")));
        tokio::spawn(work).await.unwrap_or_else(bug)
    }

    async fn delegate_once(&self, params: DelegateParams) -> Result<DelegateResult> {
        let meant = self.meant(&params)?;
        let file = meant.pointed.as_ref().map(|it| it.0.clone());
        let (repository, hub) =
            self.repositories.hub(params.repository.as_deref(), file.as_deref()).await?;
        let place = self.place_in(&repository, meant.pointed)?;
        let buffers = match meant.start {
            StartFrom::Seen => {
                let touched = self.documents.borrow().touched(&repository.root);
                touched.unsaved()
            }
            StartFrom::Head => Vec::new(),
        };
        let mut text = meant.text;
        if let Some(place) = &place
            && text.is_empty()
        {
            text = selection::words(meant.wish, place, &params.diagnostics);
        }
        if text.is_empty() {
            return Err(errors::invalid("a delegation needs `text`, or a document and a range"));
        }
        text.push_str(&selection::problems(&params.diagnostics));
        let delegated = hub.delegate(Delegation {
            place,
            start: meant.start,
            buffers: buffers.into_iter().map(|(path, text)| git::Buffer { path, text }).collect(),
            land_by_rule: params.land_by_rule,
            environment: self.environment.clone(),
            worktree: repository.place.worktree(),
            class: meant.class,
            budget: meant.budget,
            ..Delegation::new(text, meant.wish.origin())
        });
        let task = delegated.await.map_err(errors::from_hub)?;
        self.follow(&repository, task);
        let expects = team::expected(&hub.team(), task);
        Ok(DelegateResult { repository: repository.name.clone(), task: task.to_string(), expects })
    }

    fn meant(&self, params: &DelegateParams) -> Result<Meant> {
        let text = params.text.as_deref().unwrap_or_default().trim().to_owned();
        let is_terminal = self.wishes().is_terminal;
        let chars_max = if is_terminal { TYPED_CHARS_MAX } else { TEXT_CHARS_MAX };
        if chars_max < text.chars().count() {
            let why = format!("`text` is longer than {chars_max} characters; put it in a file");
            return Err(errors::invalid(why));
        }
        let start = match params.base.as_deref() {
            None | Some("seen") => StartFrom::Seen,
            Some("head") => StartFrom::Head,
            Some(_) => return Err(errors::invalid("`base` is `seen` or `head`")),
        };
        let empty = params.range.is_none_or(|it| it.start == it.end);
        let wish = match params.origin.as_deref() {
            Some(name) => Wish::by_name(name).ok_or_else(|| {
                let known = Wish::NAMED.map(|it| it.0).join("`, `");
                errors::invalid(format!("`origin` is one of `{known}`"))
            })?,
            None if params.range.is_none() => Wish::Sentence,
            None if empty || !params.diagnostics.is_empty() => Wish::Diagnostic,
            None => Wish::Selection,
        };
        let pointed = match &params.text_document {
            None => None,
            Some(named) => Some(self.pointed(&named.uri, params)?),
        };
        let known = "`class` is bug, feature, refactor, docs, chore or question";
        let class = params.class.as_deref().map(|it| team::Class::by_name(it).ok_or(known));
        let class = class.transpose().map_err(errors::invalid)?;
        let budget = params.budget.as_deref().map(str::parse::<team::Budget>).transpose();
        let budget = budget.map_err(errors::invalid)?.unwrap_or_default();
        Ok(Meant { text, wish, start, class, budget, pointed })
    }

    /// The file, and the lines of its open document. The place's path is filled in later.
    fn pointed(
        &self,
        uri: &str,
        params: &DelegateParams,
    ) -> Result<(PathBuf, Option<team::Place>)> {
        let uri = super::types::Uri::from_str(uri)
            .map_err(|_| errors::invalid(format!("`{uri}` is no URI")))?;
        let Some(file) = places::file(&uri) else {
            return Err(errors::invalid("the document is no file on this machine"));
        };
        let documents = self.documents.borrow();
        let place = match (documents.get(&uri), params.range) {
            (Some(document), Some(range)) => {
                let encoding = documents.encoding();
                Some(selection::place(document, String::new(), range.into(), encoding))
            }
            (None, Some(_)) => {
                return Err(errors::invalid("the document is not open, so its range says nothing"));
            }
            (_, None) => None,
        };
        Ok((file, place))
    }

    fn place_in(
        &self,
        repository: &Repository,
        pointed: Option<(PathBuf, Option<team::Place>)>,
    ) -> Result<Option<team::Place>> {
        let Some((file, place)) = pointed else { return Ok(None) };
        let Some(path) = places::relative(&repository.root, &file) else {
            let text = format!("{} is not in this repository", file.display());
            return Err(errors::unknown(Failure::new(Code::Git, text)));
        };
        Ok(place.map(|it| team::Place { path, ..it }))
    }

    /// Who decides here.
    pub fn person(&self) -> By {
        let door = if self.wishes().is_terminal { DOOR_TERMINAL } else { "editor" };
        By::Person { door: door.to_owned() }
    }

    /// `baton/board`.
    pub async fn board(&self, params: BoardParams) -> Result<BoardView> {
        let (repository, hub) = self.repositories.hub(params.repository.as_deref(), None).await?;
        Ok(BoardView::of(&repository.name, &hub.team()))
    }

    /// `baton/task`.
    pub async fn task(&self, params: TaskParams) -> Result<TaskView> {
        fail::bug("lsp.task");
        let task = id::<TaskId>(&params.task)?;
        let (repository, hub) = self.repositories.hub(params.repository.as_deref(), None).await?;
        let view = TaskView::of(&repository.name, &hub.team(), task);
        view.ok_or_else(|| no_task(task))
    }

    /// `baton/diff`.
    pub async fn diff(&self, params: TaskParams) -> Result<DiffView> {
        let task = id::<TaskId>(&params.task)?;
        let (repository, hub) = self.repositories.hub(params.repository.as_deref(), None).await?;
        let team = hub.team();
        let Some((from, to)) = sides(&team, team.task(task).ok_or_else(|| no_task(task))?) else {
            return Err(errors::refused(format!("{task} has not changed anything yet")));
        };
        let git = hub.git().clone();
        let read = blocking(move || {
            let files = git.files(&from, &to)?;
            let patch = git.patch(&from, &to)?;
            Ok((from, to, files, patch))
        });
        let (from, to, files, patch) = read.await.map_err(errors::failed)?;
        fail::bug("lsp.diff");
        Ok(DiffView {
            repository: repository.name.clone(),
            task: task.to_string(),
            from: from.0,
            to: to.0,
            files: files.iter().map(file_view).collect(),
            patch,
        })
    }

    /// `baton/answerApproval`.
    pub async fn answer_approval(
        &self,
        params: AnswerApprovalParams,
    ) -> Result<AnswerApprovalResult> {
        let approval = id::<ApprovalId>(&params.approval)?;
        answers::named(&params)?;
        let (repository, hub) = self.repositories.hub(params.repository.as_deref(), None).await?;
        let asked = hub.team().approvals.get(&approval).cloned();
        let answer = answers::read(&hub, asked.as_deref(), &params).await?;
        let says = crate::protocol::answer_name(&answer).to_owned();
        let expected = params.revision.map(ChangeId);
        let sent = hub.send(Input::Answer { approval, expected, answer, by: self.person() });
        // Followed before it is sent on its way: its end may come before the answer does.
        let task = asked.map(|it| it.task);
        if let Some(task) = task {
            self.follow(&repository, task);
        }
        sent.await.map_err(errors::from_hub)?;
        let task = task.map(|it| it.to_string()).unwrap_or_default();
        let says = format!("{task} {says}");
        let repository = repository.name.clone();
        Ok(AnswerApprovalResult { repository, approval: approval.to_string(), task, says })
    }

    /// `baton/answerQuestion`.
    pub async fn answer_question(&self, params: AnswerQuestionParams) -> Result<DoneResult> {
        let question = id::<QuestionId>(&params.question)?;
        let (repository, hub) = self.repositories.hub(params.repository.as_deref(), None).await?;
        let asked = hub.team().questions.get(&question).cloned();
        let text = params.text;
        let sent = hub.send(Input::AnswerQuestion { question, text, by: self.person() });
        sent.await.map_err(errors::from_hub)?;
        let task = asked.map(|it| it.task.to_string()).unwrap_or_default();
        let says = format!("{task}: {question} answered");
        Ok(DoneResult { repository: repository.name.clone(), task, says })
    }

    /// `baton/cancel`.
    pub async fn cancel(&self, params: TaskParams) -> Result<DoneResult> {
        self.about_task(params, |task| Input::Cancel { task }, "cancelled").await
    }

    /// `baton/retry`.
    pub async fn retry(&self, params: TaskParams) -> Result<DoneResult> {
        self.about_task(params, |task| Input::Retry { task }, "goes on").await
    }

    /// `baton/park`.
    pub async fn park(&self, params: TaskParams) -> Result<DoneResult> {
        self.about_task(params, |task| Input::Park { task }, "is parked").await
    }

    /// `baton/replay`.
    pub async fn replay(&self, params: ReplayParams) -> Result<ReplayView> {
        let receipt = id::<ReceiptId>(&params.receipt)?;
        let (_, hub) = self.repositories.hub(params.repository.as_deref(), None).await?;
        let team = hub.team();
        let Some(then) = team.receipt(receipt) else {
            let text = format!("there is no receipt {receipt}");
            return Err(errors::unknown(Failure::new(Code::Store, text)));
        };
        let seen = hub.replay(receipt).await.map_err(errors::failed)?;
        let output = crate::clean::text(&String::from_utf8_lossy(&seen.output));
        Ok(ReplayView::of(then, seen.exit, seen.tests.as_ref(), output))
    }

    /// `baton/undo`.
    pub async fn undo(&self, params: TaskParams) -> Result<DoneResult> {
        self.about_task(params, |task| Input::Undo { task }, "is being taken back").await
    }

    /// `baton/say`.
    pub async fn tell_team(&self, params: SayParams) -> Result<DoneResult> {
        let task = id::<TaskId>(&params.task)?;
        let (repository, hub) = self.repositories.hub(params.repository.as_deref(), None).await?;
        let sent = hub.send(Input::Say { task, text: params.text, by: self.person() });
        sent.await.map_err(errors::from_hub)?;
        let says = match hub.team().live_run(task) {
            Some(run) => format!("{task}: {run} hears it before its model is asked next"),
            None => format!("{task}: kept for its next run"),
        };
        Ok(DoneResult { repository: repository.name.clone(), task: task.to_string(), says })
    }

    async fn about_task(
        &self,
        params: TaskParams,
        input: fn(TaskId) -> Input,
        says: &str,
    ) -> Result<DoneResult> {
        let task = id::<TaskId>(&params.task)?;
        let (repository, hub) = self.repositories.hub(params.repository.as_deref(), None).await?;
        let sent = hub.send(input(task));
        self.follow(&repository, task);
        sent.await.map_err(errors::from_hub)?;
        let repository = repository.name.clone();
        Ok(DoneResult { repository, task: task.to_string(), says: format!("{task} {says}") })
    }

    fn follow(&self, repository: &Repository, task: TaskId) {
        self.followed.send_if_modified(|it| it.insert((repository.name.clone(), task)));
    }
}

pub fn no_task(task: TaskId) -> tower_lsp::jsonrpc::Error {
    errors::unknown(Failure::new(Code::Config, format!("there is no task {task}")))
}

/// The two sides of a task's change: the candidate on its tip; before there is one, and for edits,
/// the Engineer's head on what the person saw.
pub fn sides(team: &Team, task: &Task) -> Option<(CommitId, CommitId)> {
    if let Some(candidate) = &task.candidate {
        return Some((candidate.tip.clone(), candidate.commit.clone()));
    }
    let asked = task.approvals.iter().rev().filter_map(|it| team.approvals.get(it));
    let newest = asked
        .map(|it| &it.subject)
        .find(|it| !matches!(it, Subject::Commands { .. } | Subject::Setup { .. }));
    if let Some(Subject::Landing { candidate, .. }) = newest {
        return Some((candidate.tip.clone(), candidate.commit.clone()));
    }
    Some((task.base.as_ref()?.seen.clone(), task.head.as_ref()?.commit.clone()))
}
