//! Makes the model's calls, one by one.

use super::Course;
use crate::agent::format::Format;
use crate::agent::request::{Asking, Draft, Progress, Request, Seen};
use crate::agent::talk::{CALLS_A_REPLY_MAX, INTERRUPTED, Next, Wanted};
use crate::agent::tools::{Tool, Want, read_call};
use crate::agent::{Ended, args, edit, output, patch, read};
use crate::clean::{self, REDACTED};
use team::{Class, Code, CommitId, Failure, Plan, ReceiptId, Severity, Verdict};

const TIMEOUT_S: u32 = 120;
const TIMEOUT_S_MAX: u32 = 600;
const DIFF_HEAD_CHARS_MAX: usize = 12_000;
const DIFF_TAIL_CHARS_MAX: usize = 4_000;
const TEXT_CHARS_MAX: usize = 12_000;
const LIST_MAX: usize = 40;
const TESTS_MAX: usize = 20;
const SHOWN_CHARS_MAX: usize = 120;

/// What a call came to. The texts are for the model.
pub(super) enum Came {
    Fine(String),
    Wrong(String),
    Ended(Ended),
}

impl From<Result<String, String>> for Came {
    fn from(it: Result<String, String>) -> Came {
        match it {
            Ok(text) => Came::Fine(text),
            Err(text) => Came::Wrong(text),
        }
    }
}

impl Course<'_> {
    /// Makes one call and takes in its result; `Some`: it ended the run.
    pub(super) async fn make(&mut self, wanted: Wanted) -> Result<Option<Ended>, Failure> {
        let came = match self.format {
            Format::Whole => self.attend_block(&wanted).await?,
            Format::Replace | Format::Patch => self.attend(&wanted).await?,
        };
        match came {
            Came::Fine(text) => self.give(wanted, text, false),
            Came::Wrong(text) => self.give(wanted, text, true),
            // Its end is in the event log; a journal step would only cost the next role time.
            Came::Ended(ended) => return Ok(Some(ended)),
        }
        Ok(None)
    }

    async fn attend(&mut self, wanted: &Wanted) -> Result<Came, Failure> {
        if wanted.is_half {
            let text = "Your reply was cut off at the output limit within this call, so it was not made. Send it again, smaller: for a long file write a part of it, then extend it with edit_file.";
            return Ok(Came::Wrong(self.format.adapt(text).into_owned()));
        }
        if CALLS_A_REPLY_MAX <= wanted.nth {
            return Ok(Came::Wrong(format!(
                "only {CALLS_A_REPLY_MAX} calls of one reply are made; this one was not, send it again"
            )));
        }
        if holds_redacted(&wanted.input) {
            return Ok(Came::Wrong(format!(
                "This call holds {REDACTED}, which stands for something that looks like a key and was taken out, so it was not made. Don't write keys, and leave lines that hold {REDACTED} alone; a test can build a made-up key from two parts."
            )));
        }
        let want = match read_call(&self.offered, &wanted.name, &wanted.input) {
            Ok(want) => want,
            Err(text) => return Ok(Came::Wrong(text)),
        };
        let tool = want.tool();
        if self.talk.is_closing() && !tool.ends() {
            let name = Tool::hand_over(self.duty).name();
            return Ok(Came::Wrong(format!(
                "the budget is used up: only {name} and decline work now"
            )));
        }
        let begun = self.begun.take().is_some_and(|it| it == wanted.id);
        if wanted.started && !begun {
            return Ok(Came::Wrong(INTERRUPTED.to_owned()));
        }
        self.show(Progress::Does(in_one_line(tool, wanted)));
        if tool.runs() && !begun {
            self.take(crate::agent::StepBody::Started { call: wanted.id.clone() });
        }
        if (tool.runs() && !begun) || tool.ends() {
            self.write_down(None).await?;
        }
        self.is_unsaved |= tool.changes_files();
        self.is_binding |= tool.changes_files() || tool.ends();
        self.do_it(want).await
    }

    /// The call that comes next, if it runs something.
    pub(super) fn first_to_run(&self) -> Option<String> {
        let Next::Do(wanted) = self.talk.next() else { return None };
        let want = read_call(&self.offered, &wanted.name, &wanted.input).ok()?;
        let is_made = !wanted.is_half && !holds_redacted(&wanted.input);
        let is_open = !self.talk.is_closing() && self.format != Format::Whole;
        (want.tool().runs() && is_made && is_open).then_some(wanted.id)
    }

    pub(super) async fn do_it(&self, want: Want) -> Result<Came, Failure> {
        match want {
            Want::ReadFile(it) => match it.path.parse::<ReceiptId>() {
                Ok(receipt) => self.on_output(receipt, |bytes| read::read_output(bytes, &it)).await,
                Err(_) => self.on_files(move |files| read::read_file(files, &it)).await,
            },
            Want::FindFiles(it) => self.on_files(move |files| read::find_files(files, &it)).await,
            Want::Search(it) => match it.path.as_deref().map(str::parse::<ReceiptId>) {
                Some(Ok(receipt)) => {
                    self.on_output(receipt, |bytes| read::search_output(&bytes, &it)).await
                }
                Some(Err(_)) | None => self.on_files(move |files| read::search(files, &it)).await,
            },
            Want::EditFile(it) => {
                let failed = self.talk.failed_edits(&it.path);
                self.on_files(move |files| edit::edit_file(files, &it, failed)).await
            }
            Want::ApplyPatch(it) => self.patch(it).await,
            Want::WriteFile(it) => self.on_files(move |files| edit::write_file(files, &it)).await,
            Want::RunCommand(it) => self.run_command(it).await,
            Want::RunCheck(it) => self.run_check(it).await,
            Want::ShowDiff(args::ShowDiff {}) => self.show_diff().await,
            Want::Checkpoint(it) => self.checkpoint(it).await,
            Want::Ask(it) => self.ask(it).await,
            Want::Decline(args::Decline { why }) => {
                self.hand_over(bounded("why", why).map(|why| Draft::Declined { why })).await
            }
            Want::HandOverTriage(it) => self.hand_over(triaged(it)).await,
            Want::HandOverChange(it) => self.hand_over(changed(it)).await,
            Want::HandOverVerdict(it) => self.hand_over(validated(it)).await,
            Want::HandOverPlan(it) => self.hand_over(designed(it)).await,
            Want::HandOverNotes(it) => self.hand_over(announced(it)).await,
            Want::HandOverAnswer(it) => self.hand_over(answered(it)).await,
        }
    }

    pub(super) async fn on_files(
        &self,
        work: impl FnOnce(&crate::agent::files::Files) -> Result<String, String> + Send + 'static,
    ) -> Result<Came, Failure> {
        let files = self.files.clone();
        let done = tokio::task::spawn_blocking(move || work(&files)).await;
        done.map(Came::from)
            .map_err(|error| Failure::new(Code::Bug, format!("use a tool: {error}")))
    }

    /// What a command printed, read like a file.
    async fn on_output(
        &self,
        receipt: ReceiptId,
        work: impl FnOnce(Vec<u8>) -> Result<String, String>,
    ) -> Result<Came, Failure> {
        let printed = self.request(|reply| Request::Output { receipt, reply }).await??;
        Ok(Came::from(printed.and_then(work)))
    }

    async fn patch(&self, want: args::ApplyPatch) -> Result<Came, Failure> {
        let failed = self.talk.failed_edits_of(&patch::paths(&want.patch));
        self.on_files(move |files| patch::apply_patch(files, &want, failed)).await
    }

    async fn run_command(&self, want: args::RunCommand) -> Result<Came, Failure> {
        if self.offered.contains(&Tool::ApplyPatch)
            && let Some(patch) = patch::in_command(want.argv.as_deref(), want.command.as_deref())
        {
            return self.patch(args::ApplyPatch { patch, expected_blobs: None }).await;
        }
        let argv = match (want.argv.filter(|it| !it.is_empty()), want.command) {
            (Some(argv), _) => argv,
            (None, Some(line)) if !line.trim().is_empty() => {
                vec!["sh".to_owned(), "-c".to_owned(), line]
            }
            (None, _) => {
                let example = Tool::RunCommand.example();
                return Ok(Came::Wrong(format!(
                    "run_command needs `command`. Call it for example with {example}"
                )));
            }
        };
        let dir = match self.files.relative(want.dir.as_deref().unwrap_or_default()) {
            Ok(dir) => dir,
            Err(text) => return Ok(Came::Wrong(text)),
        };
        let seconds = want.timeout_s.unwrap_or(TIMEOUT_S).clamp(1, TIMEOUT_S_MAX);
        let timeout_ms = u64::from(seconds) * 1_000;
        let ran = self.request(|reply| Request::Command { argv, dir, timeout_ms, reply }).await?;
        told(ran, "command")
    }

    async fn run_check(&self, want: args::RunCheck) -> Result<Came, Failure> {
        let name = want.name.clone();
        match self.request(|reply| Request::Check { name, reply }).await? {
            Ok(Ok(seen)) => told(Ok(seen), &format!("check {}", want.name)),
            Ok(Err(text)) => Ok(Came::Wrong(text)),
            Err(failure) => told(Err(failure), "check"),
        }
    }

    async fn show_diff(&self) -> Result<Came, Failure> {
        let diff = self.request(|reply| Request::Diff { reply }).await??;
        let text = match diff.trim().is_empty() {
            true => "nothing is changed since the task's start".to_owned(),
            false => output::ends(
                &diff,
                DIFF_HEAD_CHARS_MAX,
                DIFF_TAIL_CHARS_MAX,
                "; read the files for the rest",
            ),
        };
        Ok(Came::Fine(text))
    }

    async fn checkpoint(&self, want: args::Checkpoint) -> Result<Came, Failure> {
        let tests: Vec<String> = want.tests.iter().map(|it| it.trim().to_owned()).collect();
        if tests.is_empty() || TESTS_MAX < tests.len() || tests.iter().any(String::is_empty) {
            return Ok(Came::Wrong(format!(
                "name 1 to {TESTS_MAX} tests that fail because of the bug, as the test runner prints them"
            )));
        }
        let note = clean::line(&want.note.unwrap_or_default());
        match self.request(|reply| Request::Checkpoint { tests, note, reply }).await? {
            Ok(seen) => Ok(Came::from(seen)),
            Err(failure) => told(Err(failure), "checkpoint"),
        }
    }

    async fn ask(&self, want: args::Ask) -> Result<Came, Failure> {
        let question = match asking(want) {
            Ok(question) => question,
            Err(text) => return Ok(Came::Wrong(text)),
        };
        let asked = self.request(|reply| Request::Ask { question, reply }).await?;
        Ok(match asked {
            Ok(()) => Came::Ended(Ended::Asked),
            Err(text) => Came::Wrong(text),
        })
    }

    async fn hand_over(&self, draft: Result<Draft, String>) -> Result<Came, Failure> {
        let handoff = match draft {
            Ok(handoff) => handoff,
            Err(text) => return Ok(Came::Wrong(text)),
        };
        let taken = self.request(|reply| Request::HandOver { handoff, reply }).await?;
        Ok(match taken {
            Ok(()) => Came::Ended(Ended::HandedOver),
            Err(text) => Came::Wrong(text),
        })
    }
}

/// A command's end in words; a failure that only this command has is one for the model.
fn told(ran: Result<Seen, Failure>, what: &str) -> Result<Came, Failure> {
    let failure = match ran {
        Ok(seen) => {
            let text = output::describe(what, &seen);
            return Ok(Came::Fine(text));
        }
        Err(failure) => failure,
    };
    match failure.code {
        Code::NoSandbox => Ok(Came::Wrong(
            "commands can't run on this machine. Work by reading and editing; the server runs the checks on what you hand over".to_owned(),
        )),
        Code::Command | Code::TimedOut => Ok(Came::Wrong(format!(
            "the {what} did not run: {}. Check its name and arguments, or go on without it",
            failure.text
        ))),
        Code::Git
        | Code::Store
        | Code::DiskFull
        | Code::Locked
        | Code::Config
        | Code::Key
        | Code::Model
        | Code::Stuck
        | Code::WorktreeLost
        | Code::Interrupted
        | Code::Bug => Err(failure),
    }
}

fn triaged(want: args::HandOverTriage) -> Result<Draft, String> {
    let criteria = listed("criteria", want.criteria)?;
    Ok(Draft::Triaged {
        class: class(want.class),
        severity: match want.severity {
            args::SeverityName::Low => Severity::Low,
            args::SeverityName::Medium => Severity::Medium,
            args::SeverityName::High => Severity::High,
        },
        summary: bounded("summary", want.summary)?,
        criteria,
        or_class: want.or_class.map(class),
        is_visible: want.user_visible.unwrap_or(true),
    })
}

fn class(name: args::ClassName) -> Class {
    match name {
        args::ClassName::Bug => Class::Bug,
        args::ClassName::Feature => Class::Feature,
        args::ClassName::Refactor => Class::Refactor,
        args::ClassName::Docs => Class::Docs,
        args::ClassName::Chore => Class::Chore,
        args::ClassName::Question => Class::Question,
        args::ClassName::NeedsHuman => Class::NeedsHuman,
    }
}

fn designed(want: args::HandOverPlan) -> Result<Draft, String> {
    let paths = listed("paths", want.paths)?.iter().map(|it| clean::line(it.trim())).collect();
    let plan = Plan {
        approach: bounded("approach", want.approach)?,
        rejected: listed("rejected", want.rejected.unwrap_or_default())?,
        paths,
        tests: bounded("tests", want.tests)?,
        assumptions: listed("assumptions", want.assumptions.unwrap_or_default())?,
        decisions: listed("decisions", want.decisions.unwrap_or_default())?,
    };
    Ok(Draft::Designed { plan })
}

fn announced(want: args::HandOverNotes) -> Result<Draft, String> {
    let summary = bounded("summary", want.summary)?;
    Ok(Draft::Announced { summary, nothing: want.nothing.unwrap_or(false) })
}

fn changed(want: args::HandOverChange) -> Result<Draft, String> {
    Ok(Draft::Changed {
        summary: bounded("summary", want.summary)?,
        look_first: clean::line(&want.look_first.unwrap_or_default()),
        risks: listed("risks", want.risks.unwrap_or_default())?,
    })
}

fn validated(want: args::HandOverVerdict) -> Result<Draft, String> {
    let head = want.head.trim().to_ascii_lowercase();
    let is_hash = matches!(head.len(), 40 | 64) && head.bytes().all(|it| it.is_ascii_hexdigit());
    if !is_hash {
        return Err("`head` must be the whole hash after `head:` in the brief".to_owned());
    }
    let receipts: Result<Vec<ReceiptId>, String> =
        want.receipts.iter().map(|it| it.parse()).collect();
    Ok(Draft::Validated {
        verdict: match want.verdict {
            args::VerdictName::Pass => Verdict::Pass,
            args::VerdictName::Fail => Verdict::Fail,
        },
        head: CommitId(head),
        receipts: receipts?,
        notes: bounded("notes", want.notes)?,
    })
}

fn answered(want: args::HandOverAnswer) -> Result<Draft, String> {
    let citations = listed("citations", want.citations)?;
    Ok(Draft::Answered {
        text: bounded("text", want.text)?,
        citations: citations.iter().map(|it| clean::line(it.trim())).collect(),
    })
}

fn asking(want: args::Ask) -> Result<Asking, String> {
    let options = listed("options", want.options)?;
    if !(2..=4).contains(&options.len()) {
        return Err("`options` must be 2 to 4 answers to choose from".to_owned());
    }
    let wish = want.default.trim();
    let index = options.iter().position(|it| it.trim().eq_ignore_ascii_case(wish));
    let Some(default) = index.and_then(|it| u32::try_from(it).ok()) else {
        return Err("`default` must be one of `options`, word for word".to_owned());
    };
    Ok(Asking {
        text: bounded("question", want.question)?,
        options,
        default,
        proceed: want.proceed.unwrap_or(false),
        stakes: clean::text(&want.stakes),
    })
}

fn bounded(name: &str, text: String) -> Result<String, String> {
    if text.trim().is_empty() {
        return Err(format!("`{name}` is empty; say it in one or two sentences"));
    }
    if TEXT_CHARS_MAX < text.chars().count() {
        return Err(format!("`{name}` is over {TEXT_CHARS_MAX} characters; say it shorter"));
    }
    // It goes into events and before people's eyes.
    Ok(clean::text(&text))
}

fn listed(name: &str, list: Vec<String>) -> Result<Vec<String>, String> {
    let long = list.iter().any(|it| TEXT_CHARS_MAX < it.chars().count());
    if LIST_MAX < list.len() || long {
        return Err(format!("`{name}` is too long; keep the most important, at most {LIST_MAX}"));
    }
    Ok(list.iter().filter(|it| !it.trim().is_empty()).map(|it| clean::text(it)).collect())
}

/// A file would get this word in the place of what was taken out.
fn holds_redacted(input: &serde_json::Value) -> bool {
    input.as_object().is_some_and(|it| {
        ["text", "old", "new", "patch", "command", "argv"]
            .iter()
            .filter_map(|name| it.get(*name))
            .any(|it| it.to_string().contains(REDACTED))
    })
}

/// `read_file src/lib.rs`, for those who watch.
fn in_one_line(tool: Tool, wanted: &Wanted) -> String {
    let names = [
        "path", "command", "argv", "name", "pattern", "glob", "tests", "question", "summary",
        "why", "patch",
    ];
    let about = names.iter().map(|it| &wanted.input[*it]).find(|it| !it.is_null());
    let about = match about {
        Some(serde_json::Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
        None => String::new(),
    };
    let about: String = about.chars().take(SHOWN_CHARS_MAX).collect();
    clean::line(format!("{} {about}", tool.name()).trim_end())
}
