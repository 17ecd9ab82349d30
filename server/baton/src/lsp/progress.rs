//! `$/progress` for tasks at work: one bar a task, with the role and what it does. The client is
//! asked for a token in the background; a client that never answers gets no bar.

use super::Door;
use super::plain;
use super::types::{
    Progress, ProgressParams, ProgressParamsValue, ProgressToken, WorkDoneProgress,
    WorkDoneProgressBegin, WorkDoneProgressCreate, WorkDoneProgressCreateParams,
    WorkDoneProgressEnd, WorkDoneProgressReport,
};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use team::{Column, TaskId, TaskLine};
use tokio::sync::watch;

const CREATE_MS_MAX: u64 = 10_000;
const TEXT_CHARS_MAX: usize = 100;

type Key = (String, TaskId);

/// One stretch of work of one task.
enum Bar {
    Asked {
        token: ProgressToken,
        granted: watch::Receiver<Option<bool>>,
    },
    Shown {
        token: ProgressToken,
        text: String,
    },
    /// The client doesn't want it.
    Refused,
}

/// The bars of one connection; owned by the one task that writes events.
#[derive(Default)]
pub struct Bars {
    bars: BTreeMap<Key, Bar>,
    asked: u64,
}

impl Bars {
    /// The client has not said yet whether it wants one of them.
    pub fn are_asked_for(&self) -> bool {
        self.bars.values().any(|it| matches!(it, Bar::Asked { .. }))
    }

    /// Brings the bars in line with what is at work now. `said`: what a run says it does.
    pub async fn show(
        &mut self,
        door: &Door,
        repository: &str,
        tasks: &[TaskLine],
        said: &BTreeMap<team::RunId, String>,
    ) {
        let mut live = BTreeSet::new();
        for task in tasks.iter().filter(|it| it.column == Column::Working) {
            let key = (repository.to_owned(), task.task);
            live.insert(key.clone());
            let doing = task.run.and_then(|it| said.get(&it));
            let mut text = match doing {
                Some(doing) => format!("{}: {doing}", task.step),
                None => task.step.clone(),
            };
            if let Some(expects) = task.expects.as_ref().filter(|_| doing.is_none()) {
                text = format!("{text} ({expects})");
            }
            self.advance(door, key, task, plain::line(&text, TEXT_CHARS_MAX)).await;
        }
        let over = |it: &&Key| it.0 == repository && !live.contains(*it);
        let over: Vec<Key> = self.bars.keys().filter(over).cloned().collect();
        for key in over {
            if let Some(Bar::Shown { token, .. }) = self.bars.remove(&key) {
                let message = tasks.iter().find(|it| it.task == key.1).map(|it| it.step.clone());
                let end = WorkDoneProgressEnd {
                    message: message.map(|it| plain::line(&it, TEXT_CHARS_MAX)),
                };
                send(door, token, WorkDoneProgress::End(end)).await;
            }
        }
    }

    async fn advance(&mut self, door: &Door, key: Key, task: &TaskLine, text: String) {
        let bar = match self.bars.remove(&key) {
            None => self.ask(door),
            Some(Bar::Asked { token, granted }) => {
                let answer = *granted.borrow();
                match answer {
                    None => Bar::Asked { token, granted },
                    Some(false) => Bar::Refused,
                    Some(true) => {
                        let begin = WorkDoneProgressBegin {
                            title: format!("{} {}", task.task, plain::line(&task.title, 60)),
                            message: Some(text.clone()),
                            ..WorkDoneProgressBegin::default()
                        };
                        send(door, token.clone(), WorkDoneProgress::Begin(begin)).await;
                        Bar::Shown { token, text }
                    }
                }
            }
            Some(Bar::Shown { token, text: old }) => {
                if old != text {
                    let report = WorkDoneProgressReport {
                        message: Some(text.clone()),
                        ..WorkDoneProgressReport::default()
                    };
                    send(door, token.clone(), WorkDoneProgress::Report(report)).await;
                }
                Bar::Shown { token, text }
            }
            Some(Bar::Refused) => Bar::Refused,
        };
        self.bars.insert(key, bar);
    }

    fn ask(&mut self, door: &Door) -> Bar {
        self.asked += 1;
        let token = ProgressToken::String(format!("baton/{}", self.asked));
        let (answer, granted) = watch::channel(None);
        let params = WorkDoneProgressCreateParams { token: token.clone() };
        let door = door.clone();
        tokio::spawn(async move {
            let asked = door.client.send_request::<WorkDoneProgressCreate>(params);
            let wait = Duration::from_millis(CREATE_MS_MAX);
            let granted = matches!(tokio::time::timeout(wait, asked).await, Ok(Ok(())));
            answer.send_replace(Some(granted));
            door.changed.notify_one();
        });
        Bar::Asked { token, granted }
    }
}

async fn send(door: &Door, token: ProgressToken, value: WorkDoneProgress) {
    let value = ProgressParamsValue::WorkDone(value);
    door.client.send_notification::<Progress>(ProgressParams { token, value }).await;
}
