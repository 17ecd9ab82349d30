//! What each fact does to a task, a run or an approval. Every function here is total: where a fact
//! names what isn't there, nothing changes.

use super::{
    Approval, ApprovalState, Asked, Design, End, Head, Resume, Run, RunState, Step, Tally, Task,
    TaskState, Team, Wait, Words,
};
use crate::brief::{Brief, Limits, Usage};
use crate::change::{Base, Candidate, ChangeFacts, Facts, PlannedPath};
use crate::event::{Answer, Parked, Start, Subject, Why, Work};
use crate::failure::Failure;
use crate::handoff::{About, By, Class, Duty, Handoff, Notes, Question, Repro};
use crate::ids::{ApprovalId, CommitId, Millis, QuestionId, ReceiptId, RunId, TaskId};
use crate::receipt::{CheckSpec, Receipt};
use crate::setup::Setup;
use crate::stages::{Stage, Ways};
use crate::viewing::{Sign, Viewing};
use std::sync::Arc;

impl Team {
    pub(super) fn with(&mut self, task: TaskId, change: impl FnOnce(&mut Task)) {
        let before = self.ended_as(task);
        if let Some(it) = self.tasks.get_mut(&task) {
            change(Arc::make_mut(it));
            self.moved(task, before);
        }
    }

    pub(super) fn with_run(&mut self, run: RunId, change: impl FnOnce(&mut Run)) {
        if let Some(it) = self.runs.get_mut(&run) {
            change(Arc::make_mut(it));
        }
    }

    pub(super) fn with_task_of(&mut self, run: RunId, change: impl FnOnce(&mut Task)) {
        if let Some(task) = self.run(run).map(|it| it.task) {
            self.with(task, change);
        }
    }

    pub(super) fn start(
        &mut self,
        run: RunId,
        task: TaskId,
        work: &Work,
        started_at: Millis,
        deadline_at: Millis,
    ) {
        // Its talk begins with that of the run it continues.
        let heard = match work {
            Work::Role { start: Start::Continues { run, .. }, .. } => {
                self.run(*run).map_or(0, |it| it.heard)
            }
            Work::Role { start: Start::Fresh, .. } | Work::Checks { .. } | Work::Setup { .. } => 0,
        };
        let new = Run {
            task,
            work: work.clone(),
            started_at,
            deadline_at,
            spent: Usage::default(),
            warned: false,
            heard,
            receipts: vec![],
            state: RunState::Live,
        };
        self.runs.insert(run, Arc::new(new));
        self.with(task, |it| {
            it.runs.push(run);
            it.started(run, work);
        });
    }

    pub(super) fn proposed(&mut self, task: TaskId, candidate: Option<&Candidate>) {
        self.with(task, |it| it.candidate = candidate.cloned());
    }

    pub(super) fn lost(&mut self, run: RunId, failure: &Failure) {
        self.with_run(run, |it| it.state = RunState::Lost { failure: failure.clone() });
    }

    pub(super) fn hand_over(
        &mut self,
        run: RunId,
        handoff: &Handoff,
        facts: Option<&Facts>,
        at: Millis,
    ) {
        self.with_run(run, |it| it.state = RunState::Ended { at });
        self.with_task_of(run, |it| it.hand_over(run, handoff, facts));
    }

    pub(super) fn record(&mut self, run: RunId, receipt: &Receipt) {
        self.with_run(run, |it| it.receipts.push(receipt.clone()));
    }

    pub(super) fn reproduced(&mut self, run: RunId, repro: &Repro) {
        self.with_task_of(run, |it| it.repro = Some(repro.clone()));
    }

    pub(super) fn checked(&mut self, run: RunId, at: Millis) {
        self.with_run(run, |it| it.state = RunState::Ended { at });
    }

    pub(super) fn spend(&mut self, run: RunId, usage: &Usage, at: Millis) {
        self.today.add(at, usage.micros);
        if self.run(run).is_some() {
            self.spent.add(usage);
        }
        self.with_run(run, |it| it.spent.add(usage));
        self.with_task_of(run, |it| it.spent.add(usage));
    }

    pub(super) fn ask(&mut self, run: RunId, question: QuestionId, ask: &Question, about: About) {
        let Some(task) = self.run(run).map(|it| it.task) else {
            return;
        };
        // Asked on its behalf, after it had ended: it stays ended.
        if about == About::Work {
            self.with_run(run, |it| it.state = RunState::Asked { question });
        }
        let asked = Asked { task, run, ask: ask.clone(), about, answer: None };
        self.questions.insert(question, Arc::new(asked));
        self.with(task, |it| {
            it.questions += 1;
            it.asked.push(question);
            it.state = TaskState::Waiting { on: Wait::Question { question } };
        });
    }

    pub(super) fn answer(&mut self, question: QuestionId, text: &str, by: &By, at: Millis) {
        let Some(asked) = self.questions.get_mut(&question) else {
            return;
        };
        Arc::make_mut(asked).answer = Some((text.to_string(), by.clone()));
        // A word on the class is no word on how the work is done.
        let is_person = matches!(by, By::Person { .. });
        let counts = asked.about == About::Work && is_person;
        let task = asked.task;
        if is_person && self.task(task).is_some_and(|it| it.viewing.since.is_some()) {
            self.viewed(task, None, Sign::Closed, at);
        }
        self.with(task, |it| it.person_answered |= counts);
    }

    pub(super) fn ask_approval(
        &mut self,
        approval: ApprovalId,
        task: TaskId,
        subject: &Subject,
        asked_at: Millis,
    ) {
        let state = ApprovalState::Open;
        let asked =
            Approval { task, subject: subject.clone(), asked_at, state, viewed_ms: 0, part: None };
        self.approvals.insert(approval, Arc::new(asked));
        self.with(task, |it| {
            it.approvals.push(approval);
            let under = match subject {
                Subject::Commands { .. } | Subject::Setup { .. } => it.state.under(),
                Subject::Landing { .. }
                | Subject::Edits { .. }
                | Subject::Plan { .. }
                | Subject::Stage { .. } => None,
            };
            it.state = TaskState::AwaitingApproval { approval, under };
        });
    }

    pub(super) fn answer_approval(
        &mut self,
        approval: ApprovalId,
        answer: &Answer,
        by: &By,
        at: Millis,
    ) {
        let Some(asked) = self.approvals.get_mut(&approval) else {
            return;
        };
        let asked = Arc::make_mut(asked);
        asked.state = ApprovalState::Answered { answer: answer.clone(), by: by.clone(), at };
        let (task, subject) = (asked.task, asked.subject.clone());
        if let (Subject::Setup { setup, .. }, Answer::Approve { .. }) = (&subject, answer) {
            self.setups.insert(setup.content.clone());
        }
        // Whoever answers has looked until then, and the review is over.
        let is_viewed = self.task(task).is_some_and(|it| it.viewing.since.is_some());
        if is_viewed && matches!(by, By::Person { .. }) {
            self.viewed(task, Some(approval), Sign::Closed, at);
        }
        self.with(task, |it| it.answered(approval, answer, &subject));
    }

    pub(super) fn rebase(
        &mut self,
        approval: ApprovalId,
        candidate: &Candidate,
        receipts: &[ReceiptId],
    ) {
        let Some(asked) = self.approvals.get_mut(&approval) else {
            return;
        };
        let asked = Arc::make_mut(asked);
        let (candidate, receipts) = (candidate.clone(), receipts.to_vec());
        if let Subject::Landing { .. } = asked.subject {
            asked.subject = Subject::Landing { candidate, receipts };
        }
        let task = asked.task;
        self.with(task, |it| it.state = TaskState::Landing { approval, step: Step::PlanBranch });
    }

    pub(super) fn void(&mut self, approval: ApprovalId, why: &str) {
        if let Some(asked) = self.approvals.get_mut(&approval) {
            Arc::make_mut(asked).state = ApprovalState::Void { why: why.to_string() };
        }
    }

    /// Ends a task: its live run stops, its open approvals can no longer be answered.
    pub(super) fn close(&mut self, task: TaskId, end: End, at: Millis) {
        self.stop_run(task);
        let open: Vec<ApprovalId> = self.open_approvals(task);
        for approval in open {
            self.void(approval, "the task ended");
        }
        self.with(task, |it| {
            it.ended_at = Some(at);
            it.state = TaskState::Closed(end);
        });
    }

    pub(super) fn reject(&mut self, task: TaskId, why: &str, at: Millis) {
        self.close(task, End::Rejected { why: why.to_string() }, at);
    }

    pub(super) fn park(&mut self, task: TaskId, why: &Parked, at: Millis) {
        self.stop_run(task);
        let Some(was) = self.resume_point(task) else {
            return;
        };
        self.with(task, |it| {
            it.tally.parked_at = Some(at);
            it.state = TaskState::Parked { why: why.clone(), was };
        });
    }

    fn open_approvals(&self, task: TaskId) -> Vec<ApprovalId> {
        let mine = self.task(task).map(|it| it.approvals.clone()).unwrap_or_default();
        let state = |it: &ApprovalId| self.approvals.get(it).map(|it| &it.state);
        mine.into_iter().filter(|it| state(it) == Some(&ApprovalState::Open)).collect()
    }

    fn stop_run(&mut self, task: TaskId) {
        if let Some(run) = self.live_run(task) {
            self.with_run(run, |it| {
                if it.state == RunState::Live {
                    it.state = RunState::Stopped;
                }
            });
        }
    }

    /// Where a task that stops now would go on.
    fn resume_point(&self, task: TaskId) -> Option<Resume> {
        match &self.task(task)?.state {
            TaskState::Waiting { on: Wait::Snapshot } => Some(Resume::Snapshot),
            TaskState::Waiting { on: Wait::Candidate { head, under } } => {
                Some(Resume::Candidate { head: head.clone(), under: *under })
            }
            TaskState::Waiting { on: Wait::Part { approval } } => {
                Some(Resume::Part { approval: *approval })
            }
            TaskState::Waiting { on: Wait::Question { question } } => {
                Some(Resume::Question { question: *question })
            }
            TaskState::Working { run } | TaskState::Checking { run, .. } => self.resume_run(*run),
            TaskState::Landing { approval, step } => {
                Some(Resume::Landing { approval: *approval, step: step.clone() })
            }
            TaskState::AwaitingApproval { approval, under } => {
                match &self.approvals.get(approval)?.subject {
                    Subject::Landing { candidate, .. } => {
                        Some(Resume::Candidate { head: candidate.head.clone(), under: None })
                    }
                    Subject::Edits { head, .. } => {
                        Some(Resume::Candidate { head: head.clone(), under: None })
                    }
                    Subject::Commands { commit, why, .. } => {
                        Some(Resume::Checks { commit: commit.clone(), why: *why, under: *under })
                    }
                    Subject::Plan { run, .. } => {
                        let on = self.task(task)?.base.as_ref()?.seen.clone();
                        Some(Resume::Role { duty: Duty::Design, on, continues: Some(*run) })
                    }
                    Subject::Stage { before } => {
                        let it = self.task(task)?;
                        let seen = it.base.as_ref().map(|it| it.seen.clone());
                        let head = it.head.as_ref().map(|it| it.commit.clone());
                        let (duty, on) = match before {
                            Stage::Design | Stage::Build => (Duty::Triage, seen),
                            Stage::Validate | Stage::Announce => (Duty::Build, head),
                        };
                        Some(Resume::Role { duty, on: on?, continues: None })
                    }
                    Subject::Setup { setup, then } => Some(Resume::Checks {
                        commit: setup.commit.clone(),
                        why: *then,
                        under: *under,
                    }),
                }
            }
            TaskState::Parked { was, .. } => Some(was.clone()),
            TaskState::Undoing { .. } | TaskState::Closed(_) => None,
        }
    }

    fn resume_run(&self, run: RunId) -> Option<Resume> {
        let it = self.run(run)?;
        match &it.work {
            Work::Role { duty, on, .. } => {
                // A run that handed over is not continued: the next one starts with its result.
                let lost = !matches!(it.state, RunState::Ended { .. });
                let continues = lost.then_some(run);
                Some(Resume::Role { duty: *duty, on: on.clone(), continues })
            }
            // The round ended and sent the task back once too often: the next step is a build.
            Work::Checks { .. } if matches!(it.state, RunState::Ended { .. }) => {
                let on = self.task(it.task)?.base.as_ref()?.seen.clone();
                Some(Resume::Role { duty: Duty::Build, on, continues: None })
            }
            Work::Checks { commit, why, .. }
            | Work::Setup { setup: Setup { commit, .. }, then: why } => {
                let under = self.task(it.task)?.state.under();
                Some(Resume::Checks { commit: commit.clone(), why: *why, under })
            }
        }
    }
}

impl Task {
    pub(super) fn new(brief: Brief, delegated_at: Millis) -> Task {
        Task {
            brief,
            delegated_at,
            ended_at: None,
            state: TaskState::Waiting { on: Wait::Snapshot },
            base: None,
            checks: vec![],
            ways: Ways::default(),
            class: None,
            is_settled: false,
            is_visible: true,
            criteria: vec![],
            handoffs: vec![],
            builds: 0,
            design: None,
            designs: 0,
            repro: None,
            baseline: None,
            head: None,
            candidate: None,
            part_refused: None,
            spent: Usage::default(),
            sent_on: Usage::default(),
            questions: 0,
            person_answered: false,
            decisions: vec![],
            words: vec![],
            approvals: vec![],
            runs: vec![],
            asked: vec![],
            viewing: Viewing::default(),
            tally: Tally::default(),
        }
    }

    pub(super) fn snapshotted(
        &mut self,
        base: &Base,
        checks: &[CheckSpec],
        ways: &Ways,
        limits: Option<&Limits>,
    ) {
        self.base = Some(base.clone());
        self.checks = checks.to_vec();
        self.ways = ways.clone();
        if let Some(limits) = limits {
            self.brief.limits = limits.clone();
        }
    }

    pub(super) fn hear(&mut self, text: &str, by: &By, at: Millis) {
        self.words.push(Words { text: text.to_string(), by: by.clone(), at });
    }

    pub(super) fn classified(&mut self, class: Class, criteria: &[String]) {
        self.class = Some(class);
        self.is_settled = true;
        if !criteria.is_empty() {
            self.criteria = criteria.to_vec();
        }
    }

    fn started(&mut self, run: RunId, work: &Work) {
        match work {
            Work::Role { duty, start, .. } => {
                let answers = matches!(self.state, TaskState::Waiting { .. })
                    && matches!(start, Start::Continues { .. });
                match duty {
                    Duty::Build if !answers => {
                        self.builds += 1;
                        self.tally.builds += 1;
                    }
                    Duty::Design if !answers => self.designs += 1,
                    Duty::Triage
                    | Duty::Design
                    | Duty::Build
                    | Duty::Validate
                    | Duty::Answer
                    | Duty::Announce => (),
                }
                self.state = TaskState::Working { run };
            }
            Work::Checks { why, .. } => {
                if *why == Why::Baseline {
                    self.baseline = Some(run);
                }
                let under = self.state.under();
                self.state = TaskState::Checking { run, under };
            }
            Work::Setup { .. } => {
                self.state = TaskState::Checking { run, under: self.state.under() };
            }
        }
    }

    pub(super) fn hand_over(&mut self, run: RunId, handoff: &Handoff, facts: Option<&Facts>) {
        self.handoffs.push((run, handoff.clone()));
        match (handoff, facts) {
            (Handoff::Triaged { class, criteria, is_visible, .. }, _) => {
                // A rule's or a person's word on the class stands; a stop by the PM is no class.
                if !self.is_settled && *class != Class::NeedsHuman {
                    self.class = Some(*class);
                }
                self.criteria.clone_from(criteria);
                self.is_visible = *is_visible;
            }
            (Handoff::Designed { plan }, Some(Facts::Plan(facts))) => {
                let (plan, risk) = (plan.clone(), facts.risk.clone());
                self.design = Some(Design { run, plan, risk });
            }
            (Handoff::Changed { .. }, Some(Facts::Change(facts))) => {
                self.head = Some(head_of(facts, run, &facts.weakened));
                self.part_refused = None;
            }
            (Handoff::Announced { notes: Notes::Written { .. } }, Some(Facts::Notes(facts))) => {
                if let Some(old) = self.head.take() {
                    self.head = Some(head_of(&facts.change, old.by, &old.weakened));
                }
            }
            (
                Handoff::Designed { .. }
                | Handoff::Changed { .. }
                | Handoff::Validated { .. }
                | Handoff::Answered { .. }
                | Handoff::Announced { .. }
                | Handoff::Declined { .. },
                _,
            ) => (),
        }
    }

    fn answered(&mut self, approval: ApprovalId, answer: &Answer, subject: &Subject) {
        let head = match subject {
            Subject::Landing { candidate, .. } => Some(candidate.head.clone()),
            Subject::Edits { head, .. } => Some(head.clone()),
            Subject::Commands { .. }
            | Subject::Plan { .. }
            | Subject::Stage { .. }
            | Subject::Setup { .. } => None,
        };
        if head.is_some() {
            self.part_refused = None;
        }
        match (answer, head) {
            (Answer::Approve { .. }, Some(_)) => {
                self.state = TaskState::Landing { approval, step: Step::PlanBranch };
            }
            (Answer::ApproveSome { .. }, Some(_)) => {
                self.state = TaskState::Waiting { on: Wait::Part { approval } };
            }
            (Answer::Apply, Some(_)) => {
                self.state = TaskState::Landing { approval, step: Step::PlanEdits };
            }
            (Answer::Rebuild, Some(head)) => {
                self.state = TaskState::Waiting { on: Wait::Candidate { head, under: None } };
            }
            (Answer::Revise { .. }, _) => {
                self.tally.sent_back += 1;
                self.sent_on();
            }
            // The event that follows moves the task: a round of checks, a role's run, an end.
            (
                Answer::Approve { .. }
                | Answer::ApproveSome { .. }
                | Answer::Apply
                | Answer::Rebuild,
                None,
            )
            | (Answer::Reject { .. }, _) => (),
        }
    }

    pub(super) fn wants(&mut self, head: &CommitId) {
        let on = Wait::Candidate { head: head.clone(), under: None };
        self.state = TaskState::Waiting { on };
    }

    pub(super) fn planned(&mut self, plan: &[PlannedPath]) {
        if let TaskState::Landing { step, .. } = &mut self.state {
            *step = match step {
                Step::PlanBranch | Step::MoveBranch { .. } => {
                    Step::MoveBranch { plan: plan.to_vec() }
                }
                Step::PlanEdits | Step::MoveEdits { .. } => Step::MoveEdits { plan: plan.to_vec() },
            };
        }
    }

    pub(super) fn landed(&mut self, at: Millis) {
        if let TaskState::Landing { approval, step } = &self.state {
            let approval = *approval;
            let end = match step {
                Step::MoveBranch { plan } => End::Landed { approval, plan: plan.clone() },
                Step::MoveEdits { plan } => End::Applied { approval, plan: plan.clone() },
                Step::PlanBranch => End::Landed { approval, plan: vec![] },
                Step::PlanEdits => End::Applied { approval, plan: vec![] },
            };
            self.ended_at = Some(at);
            self.state = TaskState::Closed(end);
        }
    }

    /// What was spent since a person last sent it on.
    pub(crate) fn spent_since_sent(&self) -> Usage {
        self.spent.since(&self.sent_on)
    }

    /// A person sent it on: the count of builds, the task's tokens and its money begin anew.
    fn sent_on(&mut self) {
        self.builds = 0;
        self.sent_on = self.spent;
    }

    pub(super) fn retried(&mut self) {
        self.sent_on();
        self.tally.retries += 1;
        self.designs = 0;
        if let TaskState::Parked { was, .. } = &self.state {
            match was.clone() {
                Resume::Snapshot => self.state = TaskState::Waiting { on: Wait::Snapshot },
                Resume::Candidate { head, under } => {
                    self.state = TaskState::Waiting { on: Wait::Candidate { head, under } };
                }
                Resume::Part { approval } => {
                    self.state = TaskState::Waiting { on: Wait::Part { approval } };
                }
                Resume::Question { question } => {
                    self.state = TaskState::Waiting { on: Wait::Question { question } };
                }
                Resume::Landing { approval, step } => {
                    self.state = TaskState::Landing { approval, step };
                }
                // The run that follows in the same step moves the task.
                Resume::Role { .. } | Resume::Checks { .. } => (),
            }
        }
    }

    pub(super) fn undo_started(&mut self) {
        if let TaskState::Closed(end @ (End::Landed { .. } | End::Applied { .. })) = &self.state {
            self.state = TaskState::Undoing { end: end.clone() };
        }
    }

    pub(super) fn undo_refused(&mut self) {
        if let TaskState::Undoing { end } = &self.state {
            self.state = TaskState::Closed(end.clone());
        }
    }
}

fn head_of(facts: &ChangeFacts, by: RunId, weakened: &[String]) -> Head {
    Head {
        commit: facts.head.clone(),
        tree: facts.tree.clone(),
        by,
        files: facts.files.clone(),
        weakened: weakened.to_vec(),
    }
}
