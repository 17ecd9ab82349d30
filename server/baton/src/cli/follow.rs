//! Follows tasks in this process's hub: tells what happens as it happens, shows who is at work, asks
//! the person where one is here, and ends when every followed task waits or has ended.

use super::approve::{self, Decided};
use super::narrate::{Line, Narrator};
use super::open::{Doing, Here, Trouble, exit};
use super::person::Person;
use super::reach::Reach;
use super::screen::{Screen, Shade, cut, duration, money, safe, tokens};
use crate::agent::Progress;
use crate::hub::{Happening, now_ms};
use indicatif::{ProgressBar, ProgressStyle};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use team::{
    ApprovalId, End, Event, Input, Millis, Parked, QuestionId, Role, RunId, RunState, TaskId,
    TaskState, Team, Wait, Work,
};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::broadcast::error::RecvError;

/// How many events are read from the log at once.
const EVENTS_MAX: u64 = 500;
/// Widest live status line, in characters.
const STATUS_CHARS_MAX: usize = 70;
/// How often the live status is drawn anew, in milliseconds.
const STATUS_MS: u64 = 250;
/// Widest line about a tool call, in characters.
const ASIDE_CHARS_MAX: usize = 100;
/// How much of what a role says at once is kept to be shown.
const SAYS_BYTES_MAX: usize = 2_000;

/// What waits for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Waits {
    Approval(ApprovalId),
    Question(QuestionId),
}

/// Where a task stands for somebody who follows it.
#[derive(Clone, Debug, PartialEq)]
pub enum Standing {
    Busy,
    Waits(Waits),
    Parked(Parked),
    Closed(End),
}

/// Where this task stands. A task that isn't there is taken for cancelled.
pub fn standing(team: &Team, task: TaskId) -> Standing {
    match team.task(task).map(|it| &it.state) {
        Some(TaskState::AwaitingApproval { approval, .. }) => {
            Standing::Waits(Waits::Approval(*approval))
        }
        Some(TaskState::Waiting { on: Wait::Question { question } }) => {
            Standing::Waits(Waits::Question(*question))
        }
        Some(TaskState::Parked { why, .. }) => Standing::Parked(why.clone()),
        Some(TaskState::Closed(end)) => Standing::Closed(end.clone()),
        Some(
            TaskState::Waiting { on: Wait::Snapshot | Wait::Candidate { .. } | Wait::Part { .. } }
            | TaskState::Working { .. }
            | TaskState::Checking { .. }
            | TaskState::Landing { .. }
            | TaskState::Undoing { .. },
        ) => Standing::Busy,
        None => Standing::Closed(End::Cancelled),
    }
}

/// How what happens is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tell {
    Lines,
    /// Lines, with what the roles say and which tools they use in between.
    Voices,
    /// One JSON object a line.
    Json,
}

/// What one followed command has in hand.
pub struct Follow<'a> {
    pub hub: &'a Reach,
    pub here: &'a Here,
    pub screen: &'a Screen,
    pub person: &'a Person<'a>,
    pub tell: Tell,
    /// Asks in the terminal where a person is here.
    pub may_ask: bool,
    /// Approves a landing as the person would, under this door's name. For the demo alone.
    pub answers_as: Option<&'static str>,
    narrator: Narrator,
    told: u64,
    /// The followed tasks; what happens to others is told with their id.
    tasks: Vec<String>,
    /// What was told, for the table at the end.
    pub log: Vec<(Millis, Event)>,
    bars: BTreeMap<RunId, ProgressBar>,
    doing: BTreeMap<RunId, String>,
    /// What a role says, piece by piece, until it does something.
    says: BTreeMap<RunId, String>,
    /// What the person put off here.
    later: BTreeSet<Waits>,
    interrupted: bool,
}

impl<'a> Follow<'a> {
    /// Begins now: what happens from here on is told.
    pub fn new(
        hub: &'a Reach,
        here: &'a Here,
        screen: &'a Screen,
        person: &'a Person<'a>,
        tell: Tell,
    ) -> Follow<'a> {
        let team = hub.team();
        Follow {
            hub,
            here,
            screen,
            person,
            tell,
            may_ask: true,
            answers_as: None,
            narrator: Narrator::of(&team),
            told: team.version,
            tasks: Vec::new(),
            log: Vec::new(),
            bars: BTreeMap::new(),
            doing: BTreeMap::new(),
            says: BTreeMap::new(),
            later: BTreeSet::new(),
            interrupted: false,
        }
    }

    /// Follows until none of these tasks goes on by itself. The exit code is theirs.
    ///
    /// Errors: the log can't be read, or an answer of the person's was not written down.
    pub async fn until_settled(&mut self, tasks: &[TaskId]) -> Result<u8, Trouble> {
        self.tasks = tasks.iter().map(ToString::to_string).collect();
        let team = self.hub.team();
        tasks.iter().for_each(|it| self.narrator.know(&team, *it));
        loop {
            self.until_quiet(tasks).await?;
            if let Some(failure) = self.hub.lost() {
                return Err(failure).doing("follow the task");
            }
            if self.interrupted {
                return Ok(exit::INTERRUPTED);
            }
            let Some((task, waits)) = self.next_to_ask(tasks) else {
                break;
            };
            if let Some(door) = self.answers_as {
                approve::approve_as(self.hub, self.here, self.screen, door, task, waits).await?;
                self.later.insert(waits);
                continue;
            }
            let decided = tokio::select! {
                it = approve::ask(self.hub, self.here, self.screen, self.person, task, waits) => it?,
                _ = tokio::signal::ctrl_c() => {
                    self.screen.note("");
                    return Ok(exit::INTERRUPTED);
                }
            };
            match decided {
                Decided::Answered => (),
                Decided::Later => {
                    self.later.insert(waits);
                }
            }
        }
        Ok(code(&self.hub.team(), tasks))
    }

    fn next_to_ask(&self, tasks: &[TaskId]) -> Option<(TaskId, Waits)> {
        let asks = self.may_ask && self.tell != Tell::Json && self.person.is_here();
        if !asks && self.answers_as.is_none() {
            return None;
        }
        let team = self.hub.team();
        tasks.iter().find_map(|it| match standing(&team, *it) {
            Standing::Waits(waits) if !self.later.contains(&waits) => Some((*it, waits)),
            Standing::Waits(_) | Standing::Busy | Standing::Parked(_) | Standing::Closed(_) => None,
        })
    }

    async fn until_quiet(&mut self, tasks: &[TaskId]) -> Result<(), Trouble> {
        let mut watch = self.hub.watch();
        let mut heard = self.hub.happenings();
        let mut clock = tokio::time::interval(Duration::from_millis(STATUS_MS));
        // One listener for all of it: a new one each time would not hear what is pressed in between.
        let mut pressed = signal(SignalKind::interrupt()).doing("listen for Ctrl-C")?;
        self.catch_up()?;
        loop {
            let team = watch.borrow_and_update().clone();
            if !tasks.iter().any(|it| standing(&team, *it) == Standing::Busy) {
                while let Ok(it) = heard.try_recv() {
                    self.hear(it)?;
                }
                self.clear_status();
                return self.catch_up();
            }
            self.show_status(&team);
            tokio::select! {
                // In this order: what was said before what came of it.
                biased;
                _ = pressed.recv() => self.interrupt(tasks, &team).await,
                it = heard.recv() => match it {
                    Ok(it) => self.hear(it)?,
                    Err(RecvError::Lagged(_)) => self.catch_up()?,
                    Err(RecvError::Closed) => return self.catch_up(),
                },
                it = watch.changed() => if it.is_err() {
                    return self.catch_up();
                },
                _ = clock.tick() => (),
            }
        }
    }

    /// The first Ctrl-C parks; the second one leaves at once. What was done is in the log.
    async fn interrupt(&mut self, tasks: &[TaskId], team: &Team) {
        if self.interrupted {
            self.clear_status();
            std::process::exit(i32::from(exit::INTERRUPTED));
        }
        self.interrupted = true;
        self.screen.note("baton: parking what is under way; Ctrl-C again leaves at once");
        for task in tasks {
            if standing(team, *task) == Standing::Busy {
                // Refused where it landed or ended just now, which is as good.
                let _ = self.hub.send(Input::Park { task: *task }).await;
            }
        }
    }

    /// Tells everything in the log that was not told yet.
    fn catch_up(&mut self) -> Result<(), Trouble> {
        let version = self.hub.team().version;
        while self.told < version {
            let reader = self.hub.reader().doing("read the log")?;
            let events = reader.events(self.told, EVENTS_MAX).doing("read the log")?;
            if events.is_empty() {
                return Ok(());
            }
            for (version, at, event) in events {
                self.take(version, at, event);
            }
        }
        Ok(())
    }

    fn take(&mut self, version: u64, at: Millis, event: Event) {
        self.told = version;
        let mut line = self.narrator.tell(version, at, &event);
        let others = line.task.as_ref().filter(|it| !self.tasks.contains(it));
        if let Some(task) = others.filter(|_| self.tell != Tell::Json) {
            line.text = format!("{task}: {}", line.text);
        }
        match self.tell {
            Tell::Json => self.screen.line(json_line(&line)),
            Tell::Lines | Tell::Voices if line.quiet => (),
            Tell::Lines | Tell::Voices => self.screen.line(shown(self.screen, &line)),
        }
        self.log.push((at, event));
    }

    fn hear(&mut self, it: Happening) -> Result<(), Trouble> {
        match it {
            Happening::Event { version, .. } if version <= self.told => (),
            Happening::Event { version, at, event } if version == self.told + 1 => {
                self.take(version, at, (*event).clone());
            }
            // Some were missed.
            Happening::Event { .. } => self.catch_up()?,
            Happening::Progress { run, progress } => self.progress(run, progress),
            Happening::HandoffRefused { run, why } => {
                let who = self.narrator.role_of(run).map_or("run", Role::name);
                self.aside(
                    "Baton",
                    Shade::Bad,
                    &format!("refuses what the {who} hands over: {why}"),
                );
            }
            Happening::Note(text) => self.aside("Baton", Shade::Warn, &text),
        }
        Ok(())
    }

    /// What is no event: a line for people, kept out of what programs read.
    fn aside(&self, who: &str, shade: Shade, text: &str) {
        match self.tell {
            Tell::Json => self.screen.note(format!("baton: {}", safe(text))),
            Tell::Lines | Tell::Voices => {
                let who = self.screen.paint(Shade::Name, &format!("{who:<9}"));
                let text = self.screen.paint(shade, &safe(text));
                self.screen.line(format!("{who} {text}"));
            }
        }
    }

    fn progress(&mut self, run: RunId, progress: Progress) {
        match progress {
            Progress::Says(text) => {
                let said = self.says.entry(run).or_default();
                if said.len() < SAYS_BYTES_MAX {
                    said.push_str(&text);
                }
                let last = cut(&safe(said), STATUS_CHARS_MAX);
                self.doing.insert(run, last);
            }
            Progress::Does(text) => {
                if self.tell == Tell::Voices {
                    let who = self.narrator.role_of(run).map_or("Baton", Role::name);
                    // What is handed over is told by what came of it.
                    if !text.starts_with("hand_over") {
                        self.aside(who, Shade::Quiet, &cut(&text, ASIDE_CHARS_MAX));
                    }
                }
                self.doing.insert(run, cut(&safe(&text), STATUS_CHARS_MAX));
            }
            Progress::Waits { why, wait_ms } => {
                let text = format!("waits {} s: {why}", wait_ms.div_ceil(1000));
                self.doing.insert(run, cut(&safe(&text), STATUS_CHARS_MAX));
            }
            // A reply is whole.
            Progress::Spent(_) => {
                let said = self.says.remove(&run).unwrap_or_default();
                if self.tell == Tell::Voices && !said.trim().is_empty() {
                    let who = self.narrator.role_of(run).map_or("Baton", Role::name);
                    self.aside(who, Shade::Plain, &quoted(self.screen, &said));
                }
            }
        }
    }

    fn show_status(&mut self, team: &Team) {
        if !self.screen.err_is_terminal || self.screen.plain || self.tell == Tell::Json {
            return;
        }
        let live = |it: &team::Run| it.state == RunState::Live;
        let over: Vec<_> = self.bars.keys().copied().collect();
        for run in over.into_iter().filter(|it| !team.run(*it).is_some_and(live)) {
            if let Some(bar) = self.bars.remove(&run) {
                bar.finish_and_clear();
            }
        }
        for (run, it) in team.live_runs() {
            let bar = self.bars.entry(run).or_insert_with(|| self.screen.live.add(spinner()));
            let who = match it.work {
                Work::Role { duty, .. } => Role::of(duty).name(),
                Work::Checks { .. } => "Checks",
                Work::Setup { .. } => "Set-up",
            };
            let elapsed = now_ms().saturating_sub(it.started_at);
            let doing = self.doing.get(&run).map_or("", String::as_str);
            bar.set_message(format!(
                "{who:<9} {} {:>6}  {:>6} tokens  {:>6}  {doing}",
                it.task,
                duration(elapsed),
                tokens(&it.spent),
                money(it.spent.micros),
            ));
            bar.tick();
        }
    }

    fn clear_status(&mut self) {
        for (_, bar) in std::mem::take(&mut self.bars) {
            bar.finish_and_clear();
        }
    }

    /// Says on standard error what waits for the person, and exactly what to type.
    pub fn point(&self, tasks: &[TaskId]) {
        let team = self.hub.team();
        for task in tasks {
            for line in pointer(&team, *task, &self.here.repo_option) {
                self.screen.note(line);
            }
        }
    }
}

/// What a role said, in quotation marks.
fn quoted(screen: &Screen, said: &str) -> String {
    let (open, close) = (screen.symbol("\u{201c}", "\""), screen.symbol("\u{201d}", "\""));
    format!("{open}{}{close}", said.trim())
}

fn spinner() -> ProgressBar {
    // Cut to the terminal's width at each drawing: a line that wraps can't be taken back whole.
    let style = ProgressStyle::with_template("{spinner} {wide_msg}");
    let bar = ProgressBar::new_spinner();
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// A line as a person reads it.
pub fn shown(screen: &Screen, line: &Line) -> String {
    let who = screen.paint(Shade::Name, &format!("{:<9}", line.who));
    format!("{who} {}", screen.paint(line.shade, &line.text))
}

/// A line as one JSON object.
pub fn json_line(line: &Line) -> String {
    serde_json::to_string(line).unwrap_or_default()
}

/// The exit code of these tasks together: what failed before what waits before what is done.
pub fn code(team: &Team, tasks: &[TaskId]) -> u8 {
    let codes = tasks.iter().map(|it| match standing(team, *it) {
        Standing::Closed(End::Landed { .. } | End::Applied { .. } | End::Answered) => exit::DONE,
        Standing::Waits(_) | Standing::Parked(Parked::NeedsPerson(_)) => exit::NEEDS_PERSON,
        Standing::Busy
        | Standing::Parked(Parked::Failed(_) | Parked::Stopped)
        | Standing::Closed(End::Rejected { .. } | End::Cancelled | End::Undone { .. }) => {
            exit::FAILED
        }
    });
    let codes: Vec<u8> = codes.collect();
    let of = |code| codes.contains(&code).then_some(code);
    of(exit::FAILED).or_else(|| of(exit::NEEDS_PERSON)).unwrap_or(exit::DONE)
}

/// What to type now, for a task that doesn't go on by itself.
pub fn pointer(team: &Team, task: TaskId, repo: &str) -> Vec<String> {
    match standing(team, task) {
        Standing::Waits(Waits::Approval(approval)) => {
            let Some(line) = team::approval_line(team, approval) else {
                return Vec::new();
            };
            let ticks: String = line.ticks.iter().map(|it| format!(" --tick {it}")).collect();
            let first = line.answers.first().copied().unwrap_or("approve");
            let others: Vec<_> = line.answers.iter().skip(1).copied().collect();
            let ticks = if first == "approve" { ticks.as_str() } else { "" };
            let mut lines = vec![safe(&format!("{approval} waits for you: {}", line.proof))];
            lines.extend(line.why.iter().map(|it| safe(&format!("  {it}"))));
            lines.extend([
                safe(&format!("  baton{repo} diff {task} --patch")),
                safe(&format!(
                    "  baton{repo} answer {approval} {first}{ticks}   (or: {})",
                    others.join(", ")
                )),
            ]);
            lines
        }
        Standing::Waits(Waits::Question(question)) => {
            let Some(asked) = team.questions.get(&question) else {
                return Vec::new();
            };
            let options = asked.ask.options.iter().zip(1..);
            let options: Vec<_> = options.map(|(it, n)| format!("{n} {it}")).collect();
            vec![
                safe(&format!(
                    "{question} waits for you: {} ({})",
                    asked.ask.text,
                    options.join(", ")
                )),
                format!("  baton{repo} answer {question} NUMBER-OR-TEXT"),
            ]
        }
        Standing::Parked(why) => vec![
            safe(&format!("{task} is parked: {}", super::narrate::parked_text(&why))),
            format!("  baton{repo} task {task}      what was tried"),
            format!("  baton{repo} retry {task}     go on; or: baton{repo} cancel {task}"),
        ],
        Standing::Busy | Standing::Closed(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use team::{Brief, Failure, Origin, Resume};

    fn team(states: &[TaskState]) -> (Team, Vec<TaskId>) {
        let mut team = Team::default();
        let brief = Brief::new("it is wrong", Origin::CommandLine);
        for (task, state) in (1..).map(TaskId).zip(states) {
            team.apply(&Event::TaskDelegated { task, brief: brief.clone(), at: 0 });
            if let Some(it) = team.tasks.get_mut(&task) {
                Arc::make_mut(it).state = state.clone();
            }
        }
        let tasks = team.tasks.keys().copied().collect();
        (team, tasks)
    }

    fn parked(why: Parked) -> TaskState {
        TaskState::Parked { why, was: Resume::Snapshot }
    }

    #[test]
    fn each_standing_has_its_exit_code() {
        let failed = || parked(Parked::Failed(Failure::new(team::Code::Model, "x")));
        let stuck = || parked(Parked::NeedsPerson("x".into()));
        let asks = || TaskState::AwaitingApproval { approval: ApprovalId(1), under: None };
        let done = || TaskState::Closed(End::Answered);
        for (states, expected) in [
            (vec![done()], exit::DONE),
            (vec![asks()], exit::NEEDS_PERSON),
            (vec![stuck()], exit::NEEDS_PERSON),
            (vec![failed()], exit::FAILED),
            (vec![TaskState::Closed(End::Cancelled)], exit::FAILED),
            (vec![done(), asks()], exit::NEEDS_PERSON),
            (vec![asks(), failed(), done()], exit::FAILED),
            (vec![], exit::DONE),
        ] {
            let (team, tasks) = team(&states);
            assert_eq!(code(&team, &tasks), expected, "{states:?}");
        }
    }

    #[test]
    fn a_parked_task_says_what_to_type() {
        let (team, tasks) = team(&[parked(Parked::NeedsPerson("three builds\u{1b}[2J".into()))]);
        let lines = pointer(&team, tasks[0], " --repo /r");
        assert_eq!(lines[0], "T1 is parked: three builds\\u{1b}[2J");
        assert!(lines[2].contains("baton --repo /r retry T1"), "{lines:?}");
    }
}
