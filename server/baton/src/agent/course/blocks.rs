//! The course of a run in whole blocks: how it begins, what the server does with a reply, and when a run
//! with tools goes on without them.

use super::Course;
use super::calls::Came;
use crate::agent::edit::{FAILED_EDITS_MAX, WHOLE_LINES_MAX};
use crate::agent::format::Format;
use crate::agent::format::record::{Record, SILENT_MAX};
use crate::agent::journal::StepBody;
use crate::agent::request::{Progress, Request};
use crate::agent::talk::{INTERRUPTED, Wanted};
use crate::agent::tools::{Tool, read_call};
use crate::agent::whole::{self, PLACE};
use crate::clean;
use crate::model::Message;
use team::{Code, Duty, Exit, Failure};

impl Course<'_> {
    /// The first step of a run in whole blocks.
    pub(super) async fn open_blocks(&self) -> Result<StepBody, Failure> {
        let diff = match self.duty {
            Duty::Validate => self.request(|reply| Request::Diff { reply }).await??,
            Duty::Triage | Duty::Design | Duty::Build | Duty::Answer | Duty::Announce => {
                String::new()
            }
        };
        let (files, duty, facts) = (self.files.clone(), self.duty, self.facts.clone());
        let opened =
            tokio::task::spawn_blocking(move || whole::brief::open(&files, duty, &facts, &diff));
        let (text, frame) = opened
            .await
            .map_err(|error| Failure::new(Code::Bug, format!("write a brief: {error}")))?;
        let messages = vec![Message::user(text)];
        let frame = Some(Box::new(frame));
        Ok(StepBody::Opened { messages, format: Format::Whole, frame })
    }

    /// Does one deed that follows from a reply.
    pub(super) async fn attend_block(&mut self, wanted: &Wanted) -> Result<Came, Failure> {
        if wanted.name == PLACE {
            self.show(Progress::Does("puts the block into its place".to_owned()));
            self.is_unsaved = true;
            let shown = self.talk.frame().map(|it| it.shown.clone()).unwrap_or_default();
            let reply = wanted.input["reply"].as_str().unwrap_or_default().to_owned();
            return self.on_files(move |files| whole::put::put(files, &shown, &reply)).await;
        }
        if wanted.started {
            // It is not run again by itself; the server's own round is the first to see it.
            return Ok(Came::Fine(INTERRUPTED.to_owned()));
        }
        if wanted.name == Tool::RunCheck.name() {
            return self.check_block(wanted).await;
        }
        let ends = [Tool::hand_over(self.duty), Tool::Decline];
        self.write_down(None).await?;
        self.is_binding = true;
        match read_call(&ends, &wanted.name, &wanted.input) {
            Ok(want) => self.do_it(want).await,
            Err(text) => Ok(Came::Wrong(text)),
        }
    }

    async fn check_block(&mut self, wanted: &Wanted) -> Result<Came, Failure> {
        let name = wanted.input["name"].as_str().unwrap_or_default().to_owned();
        self.show(Progress::Does(clean::line(&format!("run_check {name}"))));
        self.take(StepBody::Started { call: wanted.id.clone() });
        self.write_down(None).await?;
        self.is_unsaved = true;
        let asked = name.clone();
        let seen = match self.request(|reply| Request::Check { name: asked, reply }).await? {
            Ok(Ok(seen)) => seen,
            Ok(Err(text)) => return Ok(Came::Fine(text)),
            // Then the server's own round is the first to see it.
            Err(failure) if matches!(failure.code, Code::NoSandbox | Code::Command) => {
                return Ok(Came::Fine(format!("the check did not run: {}", failure.text)));
            }
            Err(failure) => return Err(failure),
        };
        let counted = seen.tests.as_ref().is_none_or(|it| it.failed == 0 && 0 < it.passed);
        let is_green = seen.exit == Exit::Code(0) && counted;
        let no_worse = || {
            let frame = self.talk.frame();
            frame.is_some_and(|it| it.is_no_worse(&name, seen.tests.as_ref()))
        };
        if is_green || (self.talk.is_last_try() && no_worse()) {
            return Ok(Came::Fine(format!("check {name}: receipt {}", seen.receipt)));
        }
        Ok(Came::Wrong(whole::brief::red(&format!("the check `{name}`"), &seen.output)))
    }

    /// Whether this run, whose format may change, is better off without tools: two edits of a short file
    /// failed and the model is no better known, or it calls no tool at all.
    pub(super) async fn falls(&self) -> Result<bool, Failure> {
        if !self.may_fall || self.format == Format::Whole || self.talk.is_closing() {
            return Ok(false);
        }
        if self.talk.silent_from_start() >= SILENT_MAX {
            return Ok(true);
        }
        let Some(path) = self.talk.failing_file(FAILED_EDITS_MAX).map(str::to_owned) else {
            return Ok(false);
        };
        let mut run = Record::default();
        run.edits.insert(self.format, self.talk.edits());
        if !self.record.falls(self.format, &run) {
            return Ok(false);
        }
        let files = self.files.clone();
        let lines = tokio::task::spawn_blocking(move || {
            let bytes = files.read(&path).ok()?;
            Some(bytes.split(|it| *it == b'\n').count())
        });
        let lines = lines
            .await
            .map_err(|error| Failure::new(Code::Bug, format!("count lines: {error}")))?;
        Ok(lines.is_some_and(|it| it <= WHOLE_LINES_MAX + 1))
    }

    /// Goes on without tools, in a fresh conversation; the files stay as they are.
    pub(super) async fn fall(&mut self) -> Result<(), Failure> {
        self.show(Progress::Does("goes on in whole blocks, without tools".to_owned()));
        self.write_down(None).await?;
        let step = self.open_blocks().await?;
        self.set_format(Format::Whole);
        self.take(step);
        Ok(())
    }
}
