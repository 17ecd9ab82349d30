//! The command line as a client of the daemon: it speaks to the language service as an editor does,
//! with the same requests. What is true it reads from the log, which needs no lock; the service tells
//! when there is more to read.

use crate::agent::Progress;
use crate::git::{Git, Place};
use crate::hub::{Delegation, Happening, Refused};
use crate::protocol::{
    AnswerApprovalParams, BoardChangedParams, BoardView, CheckoutResult, DOOR_TERMINAL,
    DelegateParams, DelegateResult, ErrorData, PROTOCOL_VERSION, ReplayView, RunProgress,
    RunProgressParams, code, method,
};
use crate::socket::{FRAME_BYTES_MAX, Frame, Line, frame, read_frame};
use crate::store::Reader;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use team::{Code, Failure, Input, ReceiptId, Refusal, RunId, Sign, StartFrom, TaskId, Team, Usage};
use tokio::io::AsyncWriteExt;
use tokio::net::unix::OwnedWriteHalf;
use tokio::sync::{broadcast, mpsc, oneshot, watch};

/// Requests that wait for the service; one command has few.
const REQUESTS_MAX: usize = 64;
/// Happenings that a slow terminal may lag behind.
const HAPPENINGS_MAX: usize = 4_096;
/// Events that are read from the log at once.
const EVENTS_MAX: u64 = 500;
/// A repository that is still being opened is asked for again this often.
const OPENINGS_MAX: u32 = 6;
/// Between them, in milliseconds.
const OPENING_MS: u64 = 50;

/// A request on its way, and where its answer goes.
struct Asked {
    method: &'static str,
    params: Value,
    reply: oneshot::Sender<Result<Value, Refused>>,
}

type Requests = mpsc::Sender<Asked>;
type Lost = watch::Receiver<Option<Failure>>;

pub struct Remote {
    requests: Requests,
    team: watch::Receiver<Arc<Team>>,
    happenings: broadcast::Sender<Happening>,
    git: Git,
    state: PathBuf,
    repository: String,
    /// `Some` once the daemon has gone.
    lost: Lost,
}

/// What the other end of the line does; alone on a task of its own.
struct Pump {
    output: OwnedWriteHalf,
    waiting: BTreeMap<u64, oneshot::Sender<Result<Value, Refused>>>,
    next: u64,
    mirror: Mirror,
}

/// What is true, as far as the log was read.
struct Mirror {
    state: PathBuf,
    team: watch::Sender<Arc<Team>>,
    happenings: broadcast::Sender<Happening>,
}

impl Remote {
    /// Says hello and waits until the repository is open. Errors: as of `Hub::open` in the daemon.
    pub async fn open(line: Line, place: Place, state: PathBuf) -> Result<Remote, Failure> {
        let (requests, asked) = mpsc::channel(REQUESTS_MAX);
        let (happenings, _) = broadcast::channel(HAPPENINGS_MAX);
        let (publish, team) = watch::channel(Arc::new(Team::default()));
        let (lose, lost) = watch::channel(None);
        let mirror = Mirror { state: state.clone(), team: publish, happenings: happenings.clone() };
        let Line { input, output, .. } = line;
        let (frames, arrived) = mpsc::channel(REQUESTS_MAX);
        tokio::spawn(read(input, frames));
        let mut pump = Pump { output, waiting: BTreeMap::new(), next: 1, mirror };
        tokio::spawn(async move {
            pump.serve(asked, arrived).await;
            let gone = Failure::new(Code::Command, "the daemon has gone")
                .hint("what was done is kept; baton resume goes on");
            // Said before anybody who waits hears that nothing comes any more.
            lose.send_replace(Some(gone));
            drop(pump);
        });
        let repository = greet(&requests, &lost, &place).await?;
        // Only now: the daemon has made what was missing.
        let git = Git::open(&place, &state)?;
        Ok(Remote { requests, team, happenings, git, state, repository, lost })
    }

    pub fn team(&self) -> Arc<Team> {
        self.team.borrow().clone()
    }

    pub fn watch(&self) -> watch::Receiver<Arc<Team>> {
        self.team.clone()
    }

    pub fn happenings(&self) -> broadcast::Receiver<Happening> {
        self.happenings.subscribe()
    }

    pub fn reader(&self) -> Result<Reader, Failure> {
        Reader::open(&self.state)
    }

    pub fn git(&self) -> &Git {
        &self.git
    }

    pub fn lost(&self) -> Option<Failure> {
        self.lost.borrow().clone()
    }

    pub async fn delegate(&self, it: Delegation) -> Result<TaskId, Refused> {
        let base = match it.start {
            StartFrom::Seen => "seen",
            StartFrom::Head => "head",
        };
        let params = DelegateParams {
            repository: Some(self.repository.clone()),
            text: Some(it.text),
            origin: Some("commandLine".to_owned()),
            base: Some(base.to_owned()),
            land_by_rule: it.land_by_rule,
            class: it.class.map(|it| it.name().to_owned()),
            budget: (!it.budget.is_none()).then(|| it.budget.to_string()),
            ..DelegateParams::default()
        };
        let done: DelegateResult = self.ask(method::DELEGATE, json!(params)).await?;
        done.task.parse().map_err(|why: String| Refused::Failure(strange(why)))
    }

    pub async fn send(&self, input: Input) -> Result<(), Refused> {
        let (method, mut params) = request(input)?;
        params["repository"] = json!(self.repository);
        self.ask::<Value>(method, params).await.map(|_| ())
    }

    pub async fn replay(&self, receipt: ReceiptId) -> Result<ReplayView, Failure> {
        let params = json!({ "repository": self.repository, "receipt": receipt.to_string() });
        self.ask(method::REPLAY, params).await.map_err(failure)
    }

    pub async fn checkout(&self, task: TaskId) -> Result<CheckoutResult, Refused> {
        let params = json!({ "repository": self.repository, "task": task.to_string() });
        self.ask(method::CHECKOUT, params).await
    }

    /// Hangs up. The team goes on.
    pub fn close(&self) {}

    async fn ask<T: DeserializeOwned>(
        &self,
        method: &'static str,
        params: Value,
    ) -> Result<T, Refused> {
        ask(&self.requests, &self.lost, method, params).await
    }
}

/// Introduces the command line and waits until the repository is open: its name on the wire.
async fn greet(requests: &Requests, lost: &Lost, place: &Place) -> Result<String, Failure> {
    let folder = format!("file://{}", encoded(&place.root.to_string_lossy()));
    let wish = json!({
        "protocolVersion": PROTOCOL_VERSION, "showMessage": false, "runProgress": true,
        "door": DOOR_TERMINAL,
    });
    let hello = json!({
        "processId": std::process::id(), "rootUri": folder,
        "workspaceFolders": [{ "uri": folder, "name": place.name }],
        "capabilities": { "experimental": { "baton": wish } },
    });
    let _: Value = ask(requests, lost, "initialize", hello).await.map_err(failure)?;
    let _: Value = ask(requests, lost, "initialized", json!({})).await.map_err(failure)?;
    let mut left = OPENINGS_MAX;
    loop {
        match ask::<BoardView>(requests, lost, method::BOARD, json!({})).await {
            Ok(board) => return Ok(board.repository),
            Err(Refused::Failure(why)) if why.code == Code::TimedOut && 0 < left => left -= 1,
            Err(why) => return Err(failure(why)),
        }
        tokio::time::sleep(Duration::from_millis(OPENING_MS)).await;
    }
}

async fn ask<T: DeserializeOwned>(
    requests: &Requests,
    lost: &Lost,
    method: &'static str,
    params: Value,
) -> Result<T, Refused> {
    let (reply, answer) = oneshot::channel();
    let gone = || {
        let gone = Failure::new(Code::Command, "the daemon has gone");
        Refused::Failure(lost.borrow().clone().unwrap_or(gone))
    };
    requests.send(Asked { method, params, reply }).await.map_err(|_| gone())?;
    let answer = answer.await.map_err(|_| gone())??;
    serde_json::from_value(answer).map_err(|why| Refused::Failure(strange(why)))
}

fn strange(why: impl ToString) -> Failure {
    Failure::new(Code::Bug, format!("understand the daemon: {}", why.to_string()))
}

fn failure(why: Refused) -> Failure {
    match why {
        Refused::Failure(failure) => failure,
        Refused::Refusal(refusal) => Failure::new(Code::Config, refusal.to_string()),
    }
}

/// A path as a part of a URI.
fn encoded(path: &str) -> String {
    let plain = |it: u8| it.is_ascii_alphanumeric() || b"/-_.~".contains(&it);
    let code = |it: u8| match plain(it) {
        true => char::from(it).to_string(),
        false => format!("%{it:02X}"),
    };
    path.bytes().map(code).collect()
}

/// What a person may put to the team, as the request that editors use for it.
fn request(input: Input) -> Result<(&'static str, Value), Refused> {
    let about = |task: TaskId| json!({ "task": task.to_string() });
    if let Input::Answer { approval, expected, answer, .. } = input {
        let params = AnswerApprovalParams::of(approval, expected, answer);
        return Ok((method::ANSWER_APPROVAL, json!(params)));
    }
    if let Input::AnswerQuestion { question, text, .. } = input {
        let params = json!({ "question": question.to_string(), "text": text });
        return Ok((method::ANSWER_QUESTION, params));
    }
    if let Input::Say { task, text, .. } = input {
        return Ok((method::SAY, json!({ "task": task.to_string(), "text": text })));
    }
    if let Input::View { task, approval, sign, .. } = input {
        let sign = match sign {
            Sign::Opened => "opened",
            Sign::Working => "working",
            Sign::Closed => "closed",
        };
        let approval = approval.map(|it| it.to_string());
        let params = json!({ "task": task.to_string(), "approval": approval, "sign": sign });
        return Ok((method::VIEWED, params));
    }
    if let Input::Forget { memo, .. } = input {
        return Ok((method::MEMORY, json!({ "forget": memo.to_string() })));
    }
    if let Input::Cancel { task } = input {
        return Ok((method::CANCEL, about(task)));
    }
    if let Input::Park { task } = input {
        return Ok((method::PARK, about(task)));
    }
    if let Input::Retry { task } = input {
        return Ok((method::RETRY, about(task)));
    }
    if let Input::Undo { task } = input {
        return Ok((method::UNDO, about(task)));
    }
    Err(Refused::Failure(strange("this is nothing that a person asks for")))
}

/// Reads until the line ends. On a task of its own, since a read can't be given up in the middle.
async fn read(
    mut input: tokio::io::BufReader<tokio::net::unix::OwnedReadHalf>,
    frames: mpsc::Sender<Value>,
) {
    while let Frame::Body(body) = read_frame(&mut input, FRAME_BYTES_MAX).await {
        let Ok(message) = serde_json::from_slice(&body) else { return };
        if frames.send(message).await.is_err() {
            return;
        }
    }
}

impl Pump {
    async fn serve(
        &mut self,
        mut asked: mpsc::Receiver<Asked>,
        mut arrived: mpsc::Receiver<Value>,
    ) {
        loop {
            tokio::select! {
                it = asked.recv() => {
                    let Some(it) = it else { return };
                    if !self.send(it).await {
                        return;
                    }
                }
                it = arrived.recv() => match it {
                    Some(message) => self.hear(message),
                    None => return,
                },
            }
        }
    }

    /// False: the line is cut.
    async fn send(&mut self, Asked { method, params, reply }: Asked) -> bool {
        let mut message = json!({ "jsonrpc": "2.0", "method": method, "params": params });
        // The one notification that a client of ours sends gets no answer.
        if method == "initialized" {
            let _ = reply.send(Ok(Value::Null));
        } else {
            message["id"] = json!(self.next);
            self.waiting.insert(self.next, reply);
            self.next += 1;
        }
        self.output.write_all(&frame(&message)).await.is_ok()
    }

    fn hear(&mut self, mut message: Value) {
        let params = message["params"].take();
        match message["method"].as_str() {
            Some(method::BOARD_CHANGED) => {
                let changed = serde_json::from_value::<BoardChangedParams>(params);
                self.mirror.catch_up(changed.ok().map(|it| it.version));
            }
            Some(method::RUN_PROGRESS) => {
                let told = serde_json::from_value::<RunProgressParams>(params);
                let runs = told.map(|it| it.runs).unwrap_or_default();
                for it in runs.into_iter().flat_map(happenings) {
                    let _ = self.mirror.happenings.send(it);
                }
            }
            Some("window/logMessage") => {
                let text = params["message"].as_str().unwrap_or_default().to_owned();
                let _ = self.mirror.happenings.send(Happening::Note(text));
            }
            Some(_) => (),
            None => self.answered(message),
        }
    }

    fn answered(&mut self, mut message: Value) {
        let id = message["id"].as_u64();
        let Some(reply) = id.and_then(|it| self.waiting.remove(&it)) else { return };
        let error = message["error"].take();
        let answer = if error.is_null() { Ok(message["result"].take()) } else { Err(error) };
        // What the answer is about is in the log; whoever gets the answer sees it.
        self.mirror.catch_up(None);
        let _ = reply.send(answer.map_err(|it| refused(&it)));
    }
}

impl Mirror {
    /// Reads what the log has beyond what is known; nothing where that is `version` already.
    fn catch_up(&mut self, version: Option<u64>) {
        let known = self.team.borrow().version;
        if version.is_some_and(|it| it <= known) || !self.state.join(super::open::LOG_FILE).exists()
        {
            return;
        }
        if let Err(failure) = tokio::task::block_in_place(|| self.read(known)) {
            tracing::warn!(%failure, "could not read the log");
        }
    }

    fn read(&mut self, known: u64) -> Result<(), Failure> {
        let reader = Reader::open(&self.state)?;
        if known == 0 {
            self.team.send_replace(Arc::new(reader.team()?));
            return Ok(());
        }
        loop {
            let mut team = self.team.borrow().clone();
            let events = reader.events(team.version, EVENTS_MAX)?;
            if events.is_empty() {
                return Ok(());
            }
            let now = Arc::make_mut(&mut team);
            events.iter().for_each(|it| now.apply(&it.2));
            self.team.send_replace(team);
            for (version, at, event) in events {
                let event = Arc::new(event);
                let _ = self.happenings.send(Happening::Event { version, at, event });
            }
        }
    }
}

/// What the service told of a run, as a hub tells it.
fn happenings(it: RunProgress) -> Vec<Happening> {
    let Ok(run) = it.run.parse::<RunId>() else { return vec![] };
    let wait_ms = it.wait_ms;
    let says = Some(it.says).filter(|it| !it.is_empty()).map(Progress::Says);
    let replied = it.replied.then(|| Progress::Spent(Usage::default()));
    let does = it.does.into_iter().map(Progress::Does);
    let waits = it.waits.map(|why| Progress::Waits { why, wait_ms });
    let progress = says.into_iter().chain(replied).chain(does).chain(waits);
    let refused = it.refused.into_iter().map(|why| Happening::HandoffRefused { run, why });
    progress.map(|progress| Happening::Progress { run, progress }).chain(refused).collect()
}

/// An error of the service's, as a hub would have put it.
fn refused(error: &Value) -> Refused {
    let text = error["message"].as_str().unwrap_or("no reason was given").to_owned();
    let data: Option<ErrorData> = serde_json::from_value(error["data"].clone()).ok();
    let (what, hint) = data.map(|it| (it.what, it.hint)).unwrap_or_default();
    let code = match error["code"].as_i64() {
        Some(code::OPENING) => Code::TimedOut,
        Some(code::REFUSED | code::UNKNOWN) if !what.starts_with(char::is_uppercase) => {
            return Refused::Refusal(Refusal::Not(text + super::open::next_step(&what)));
        }
        Some(_) | None => serde_json::from_value(json!(what)).unwrap_or(Code::Command),
    };
    Refused::Failure(Failure::new(code, text).hint(hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_keep_what_they_are() {
        let error = json!({ "code": 2, "message": "open it", "data": {
            "kind": "failed", "what": "Locked", "retryable": true, "hint": "end 7 first" } });
        let Refused::Failure(failure) = refused(&error) else { panic!("{error}") };
        assert_eq!((failure.code, failure.hint.as_str()), (Code::Locked, "end 7 first"));
        let error = json!({ "code": 1, "message": "these need a tick of their own: a", "data": {
            "kind": "refused", "what": "needsTicks", "retryable": false, "hint": "" } });
        let text = refused(&error).to_string();
        assert_eq!(text, "these need a tick of their own: a (add --tick PATH for each)");
        let odd = refused(&json!({ "code": -32700, "message": "?" }));
        assert!(matches!(odd, Refused::Failure(it) if it.code == Code::Command));
    }

    #[test]
    fn a_path_is_a_uri() {
        assert_eq!(encoded("/a b/ä#%"), "/a%20b/%C3%A4%23%25");
    }
}
