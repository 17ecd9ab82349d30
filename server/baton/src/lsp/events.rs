//! What the client is told without having asked. One task writes all of it, from what is true now:
//! a change that came and went between two looks is not told, and nothing is told twice.

use super::progress::Bars;
use super::repositories::Repository;
use super::types::{MessageType, Notification};
use super::{Door, edits, plain};
use crate::hub::{Attached, Hub};
use crate::protocol::{AttentionParams, BoardChangedParams, BoardView, StateName, method};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use team::{ApprovalId, Board, QuestionId, RunId, TaskId, Team};
use tokio::sync::watch;

/// At most 20 looks a second.
const LOOK_MS_MIN: u64 = 50;
/// A larger board is only announced; the client asks for it.
const BOARD_TASKS_MAX: usize = 100;
const PROOF_CHARS_MAX: usize = 200;

/// `baton/boardChanged`.
enum BoardChanged {}

impl Notification for BoardChanged {
    type Params = BoardChangedParams;
    const METHOD: &'static str = method::BOARD_CHANGED;
}

/// `baton/attention`.
enum Attention {}

impl Notification for Attention {
    type Params = AttentionParams;
    const METHOD: &'static str = method::ATTENTION;
}

/// What this client was told about one repository.
struct Told {
    /// The editor is known to the hub as long as this lives.
    _attached: Attached,
    /// The hub that this is about.
    hub: Hub,
    said: watch::Receiver<BTreeMap<RunId, String>>,
    version: Option<u64>,
    approvals: BTreeSet<ApprovalId>,
    questions: BTreeSet<QuestionId>,
    /// Where the tasks stood that this person follows.
    states: BTreeMap<TaskId, StateName>,
}

/// Runs as long as the connection.
pub async fn announce(door: Door) {
    let mut told: BTreeMap<String, Told> = BTreeMap::new();
    let mut bars = Bars::default();
    let mut failures: BTreeSet<String> = BTreeSet::new();
    loop {
        for repository in door.repositories.all() {
            if let Some(failure) = repository.failure()
                && failures.insert(format!("{} {failure}", repository.name))
            {
                door.say(MessageType::WARNING, &format!("Baton failed to open: {failure}")).await;
            }
            let Some(hub) = repository.open_now() else { continue };
            let name = repository.name.clone();
            if told.get(&name).is_some_and(|it| it.hub.is_closed()) {
                told.remove(&name);
            }
            if !told.contains_key(&name) {
                for note in hub.notes() {
                    door.note(note).await;
                }
            }
            let it = told.entry(name).or_insert_with(|| begin(&door, &repository, &hub));
            look(&door, &repository.name, &hub.team(), it, &mut bars).await;
        }
        door.flush_streams().await;
        tokio::time::sleep(Duration::from_millis(LOOK_MS_MIN)).await;
        door.changed.notified().await;
    }
}

/// The first sight of a hub: it is told of this editor, and tells of its changes from now on.
fn begin(door: &Door, repository: &Arc<Repository>, hub: &Hub) -> Told {
    let attached = edits::attach(door, repository, hub);
    let mut team = hub.watch();
    let changed = door.changed.clone();
    door.while_connected(async move {
        while team.changed().await.is_ok() {
            changed.notify_one();
        }
    });
    let (sender, said) = watch::channel(BTreeMap::new());
    door.gather(&repository.name, hub, sender);
    Told {
        _attached: attached,
        hub: hub.clone(),
        said,
        version: None,
        approvals: BTreeSet::new(),
        questions: BTreeSet::new(),
        states: BTreeMap::new(),
    }
}

async fn look(door: &Door, repository: &str, team: &Team, told: &mut Told, bars: &mut Bars) {
    let wishes = door.wishes();
    let is_new = told.version != Some(team.version);
    let moves_bars =
        wishes.progress && (bars.are_asked_for() || told.said.has_changed().is_ok_and(|it| it));
    // Most looks are for words that stream; the board costs what the history holds.
    if !is_new && !moves_bars {
        return;
    }
    let board = team::board(team);
    if wishes.progress {
        let said = told.said.borrow_and_update().clone();
        bars.show(door, repository, &board.tasks, &said).await;
    }
    if !is_new {
        return;
    }
    told.version = Some(team.version);
    door.refresh_lenses();
    door.touch();
    if wishes.board_changed {
        let whole = board.tasks.len() <= BOARD_TASKS_MAX;
        let params = BoardChangedParams {
            repository: repository.to_owned(),
            version: team.version,
            board: whole.then(|| BoardView::from_board(repository, team, &board)),
        };
        door.client.send_notification::<BoardChanged>(params).await;
    }
    for it in messages(door, repository, team, &board, told) {
        if let Some(attention) = it.attention.filter(|_| wishes.board_changed) {
            door.client.send_notification::<Attention>(attention).await;
        }
        door.say(it.kind, &it.text).await;
    }
}

/// One line for the person.
struct Said {
    kind: MessageType,
    text: String,
    /// Somebody is needed.
    attention: Option<AttentionParams>,
}

/// What waits for a person, once each; and how what this person follows went on.
fn messages(
    door: &Door,
    repository: &str,
    team: &Team,
    board: &Board,
    told: &mut Told,
) -> Vec<Said> {
    let mut res = Vec::new();
    let needed = |kind: &str, task: TaskId, id: Option<String>, says: &str| {
        let (repository, kind) = (repository.to_owned(), kind.to_owned());
        Some(AttentionParams {
            repository,
            kind,
            task: task.to_string(),
            id,
            says: says.to_owned(),
        })
    };
    for line in &board.approvals {
        if told.approvals.insert(line.approval) {
            let proof = plain::line(&line.proof, PROOF_CHARS_MAX);
            let text = format!("{} waits for you: {proof}", line.task);
            let id = Some(line.approval.to_string());
            let attention = needed("approval", line.task, id, &text);
            res.push(Said { kind: MessageType::INFO, text, attention });
        }
    }
    for line in &board.questions {
        if told.questions.insert(line.question) {
            let text = plain::line(&line.text, PROOF_CHARS_MAX);
            let text = format!("{} asks you: {text}", line.task);
            let id = Some(line.question.to_string());
            let attention = needed("question", line.task, id, &text);
            res.push(Said { kind: MessageType::INFO, text, attention });
        }
    }
    let followed = door.followed.borrow();
    for line in &board.tasks {
        let Some(task) = team.task(line.task) else { continue };
        if !followed.contains(&(repository.to_owned(), line.task)) {
            continue;
        }
        let state = StateName::of(&task.state);
        if told.states.insert(line.task, state) == Some(state) {
            continue;
        }
        let kind = match state {
            StateName::Parked => MessageType::WARNING,
            _ if state.is_end() => MessageType::INFO,
            _ => continue,
        };
        let text = format!("{} {}", line.task, ended(team, line));
        let is_parked = state == StateName::Parked;
        let attention = is_parked.then(|| needed("parked", line.task, None, &text)).flatten();
        res.push(Said { kind, text, attention });
    }
    res
}

/// How a task ended, for people.
fn ended(team: &Team, line: &team::TaskLine) -> String {
    let answers = team.task(line.task).into_iter().flat_map(|it| it.handoffs.iter().rev());
    let mut answers = answers.filter_map(|(_, it)| match it {
        team::Handoff::Answered { text, .. } => Some(text),
        team::Handoff::Triaged { .. }
        | team::Handoff::Designed { .. }
        | team::Handoff::Changed { .. }
        | team::Handoff::Validated { .. }
        | team::Handoff::Announced { .. }
        | team::Handoff::Declined { .. } => None,
    });
    match answers.next() {
        Some(text) if line.step == "answered" => format!("answered: {text}"),
        Some(_) | None => line.step.clone(),
    }
}
