//! A run's conversation, built by taking in its steps one by one. The live run and a run that is
//! resumed take in the same steps, so they stand at the same place with the same bytes.

use crate::agent::format::record::Rate;
use crate::agent::journal::{Ending, NoteWhy, StepBody};
use crate::agent::patch;
use crate::agent::stuck::{Deed, Watch};
use crate::agent::tools::Tool;
use crate::agent::whole::{Frame, PLACE};
use crate::model::{Block, Message, Speaker};
use std::collections::{BTreeMap, VecDeque};
use team::Usage;

mod blocks;
pub mod window;

use window::Window;

/// Replies without a tool call in a row before the run ends.
pub const SILENT_REPLIES_MAX: u32 = 3;
/// Refused hand-overs before the run ends.
pub const REFUSED_MAX: u32 = 5;
/// Calls of one reply that are made; the others are answered with that.
pub const CALLS_A_REPLY_MAX: usize = 32;

/// A tool call of the model that has no result yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    pub id: String,
    pub name: String,
    pub input: serde_json::Value,
    /// Its place in the reply, from 0.
    pub nth: usize,
    /// It was begun, as the journal says; not in this process where the run was resumed.
    pub started: bool,
    /// The reply was cut off, maybe within these arguments.
    pub is_half: bool,
}

/// What follows from the steps so far.
#[derive(Clone, Debug, PartialEq)]
pub enum Next {
    /// Make this call and write down its result.
    Do(Wanted),
    /// Say this to the model.
    Say(String),
    /// Call the model.
    AskModel,
    /// Nothing more can come of it; why.
    Stuck(String),
    /// The closing reply is done and nothing was handed over; which limit was reached.
    UsedUp(String),
}

/// The conversation and all that is counted about it.
#[derive(Debug, Default)]
pub struct Talk {
    messages: Vec<Message>,
    pending: VecDeque<Wanted>,
    /// The last reply held no call and was not answered yet; and how it stopped.
    unanswered: Option<Ending>,
    silent: u32,
    refused: u32,
    spent: Usage,
    failed_edits: BTreeMap<String, u32>,
    watch: Watch,
    window: Window,
    /// The closing note was said, with the limit that was reached.
    closing: Option<String>,
    /// The closing note was answered.
    closed: bool,
    /// Edits by `edit_file` or `apply_patch`.
    edits: Rate,
    /// A tool was called.
    has_called: bool,
    /// What a run in whole blocks acts by.
    frame: Option<Box<Frame>>,
    /// Its replies.
    tries: u32,
    /// What it is told since its last reply led to nothing.
    again: Option<String>,
    /// Why the last deed failed.
    why: String,
}

impl Talk {
    /// The conversation after these steps.
    pub fn of(steps: &[StepBody]) -> Talk {
        let mut talk = Talk::default();
        steps.iter().for_each(|it| talk.take_in(it));
        talk
    }

    /// What is sent to the model.
    pub fn messages(&self) -> &[Message] {
        &self.messages
    }

    /// Spent by the run's calls, as the provider counted it; those that broke off are not in it.
    pub fn spent(&self) -> &Usage {
        &self.spent
    }

    /// An upper estimate of the next request's tokens, with `fixed_bytes` before the messages.
    pub fn request_tokens(&self, fixed_bytes: usize) -> u64 {
        self.window.request_tokens(&self.messages, fixed_bytes)
    }

    /// Only the hand-over is taken any more.
    pub fn is_closing(&self) -> bool {
        self.closing.is_some()
    }

    /// How often in a row edits of one of these files failed.
    pub fn failed_edits_of(&self, paths: &[String]) -> u32 {
        paths.iter().map(|it| self.failed_edits(it)).max().unwrap_or(0)
    }

    /// How often in a row edits of this file failed.
    pub fn failed_edits(&self, path: &str) -> u32 {
        self.failed_edits.get(path).copied().unwrap_or(0)
    }

    /// A file of which so many edits failed in a row.
    pub fn failing_file(&self, failed_min: u32) -> Option<&str> {
        self.failed_edits.iter().find(|it| failed_min <= *it.1).map(|it| it.0.as_str())
    }

    /// The edits so far, and how many were well formed.
    pub fn edits(&self) -> Rate {
        self.edits
    }

    /// Replies in a row without a call, where there never was one.
    pub fn silent_from_start(&self) -> u32 {
        if self.has_called { 0 } else { self.silent }
    }

    /// Whether old outputs should be shortened before the next call, and how many stay whole.
    pub fn elision(&self, window_tokens: u64) -> Option<u32> {
        self.window.elision(&self.messages, window_tokens)
    }

    /// The window is full and shortening frees nothing.
    pub fn is_full(&self, window_tokens: u64) -> bool {
        self.window.is_full(&self.messages, window_tokens)
    }

    /// What follows from the steps so far.
    pub fn next(&self) -> Next {
        if self.frame.is_some() {
            return self.next_in_blocks();
        }
        if let Some(wanted) = self.pending.front() {
            if !self.is_closing()
                && let Some(why) = self.watch.would_repeat(&wanted.name, &wanted.input)
            {
                return Next::Stuck(why);
            }
            return Next::Do(wanted.clone());
        }
        if REFUSED_MAX <= self.refused {
            return Next::Stuck(format!("{REFUSED_MAX} hand-overs were refused"));
        }
        if let Some(why) = self.watch.verdict() {
            return Next::Stuck(why);
        }
        if self.unanswered == Some(Ending::Refused) {
            return Next::Stuck("the model refused to go on".to_owned());
        }
        if let (Some(limit), true) = (&self.closing, self.closed) {
            return Next::UsedUp(limit.clone());
        }
        match &self.unanswered {
            None => Next::AskModel,
            Some(_) if SILENT_REPLIES_MAX <= self.silent => {
                Next::Stuck(format!("{SILENT_REPLIES_MAX} replies in a row held no tool call"))
            }
            Some(ending) => Next::Say(no_call(*ending)),
        }
    }

    /// Takes in one step. Total: a journal is never refused.
    pub fn take_in(&mut self, step: &StepBody) {
        match step {
            StepBody::Opened { messages, frame, .. } => self.open(messages, frame.as_deref()),
            StepBody::Reply { message, ending, usage } => {
                self.window.measure(&self.messages, usage);
                self.spent.add(usage);
                self.closed = self.is_closing();
                self.take_reply(message, *ending);
            }
            StepBody::Started { call } => {
                if let Some(front) = self.pending.front_mut().filter(|it| it.id == *call) {
                    front.started = true;
                }
            }
            StepBody::Result { content, is_error, .. } => self.take_result(content, *is_error),
            StepBody::Note { text, why } => {
                self.unanswered = None;
                self.again = None;
                if *why == NoteWhy::Closing {
                    self.closing = Some(text.lines().next().unwrap_or_default().to_owned());
                }
                self.say(Block::Text { text: text.clone() });
            }
            StepBody::Elided { keep } => window::shorten(&mut self.messages, *keep),
        }
    }

    fn take_reply(&mut self, message: &Message, ending: Ending) {
        if self.frame.is_some() {
            return self.take_block_reply(message, ending);
        }
        // A provider refuses a message without blocks and a text without words.
        let worded = |it: &&Block| !matches!(it, Block::Text { text } if text.trim().is_empty());
        let blocks: Vec<Block> = message.blocks.iter().filter(worded).cloned().collect();
        self.pending = calls(&blocks);
        if let Some(last) = self.pending.back_mut()
            && ending == Ending::CutOff
        {
            // Cut off within its arguments: not to be made.
            last.is_half = true;
        }
        if self.pending.is_empty() {
            self.silent += 1;
            self.unanswered = Some(ending);
        } else {
            self.silent = 0;
            self.has_called = true;
            self.unanswered = None;
        }
        if !blocks.is_empty() {
            self.messages.push(Message { speaker: Speaker::Assistant, blocks });
        }
    }

    fn take_result(&mut self, content: &str, is_error: bool) {
        let Some(wanted) = self.pending.pop_front() else {
            return;
        };
        if self.frame.is_some() {
            return self.take_deed_result(&wanted, content, is_error);
        }
        let tool = Tool::by_name(&wanted.name);
        if matches!(tool, Some(Tool::EditFile | Tool::ApplyPatch)) {
            self.edits.tried += 1;
            self.edits.well_formed += u32::from(!is_error);
        }
        for path in edited(&wanted) {
            match is_error {
                true => *self.failed_edits.entry(path).or_default() += 1,
                false => drop(self.failed_edits.remove(&path)),
            }
        }
        let ends = Tool::by_name(&wanted.name).is_some_and(Tool::ends);
        if is_error && ends {
            self.refused += 1;
        }
        self.watch.note(Deed::of(&wanted.name, &wanted.input, content, is_error));
        self.say(Block::ToolResult {
            tool_use_id: wanted.id,
            content: content.to_owned(),
            is_error,
        });
    }

    /// Adds to the user's message that is being put together.
    fn say(&mut self, block: Block) {
        match self.messages.last_mut() {
            Some(last) if last.speaker == Speaker::User => last.blocks.push(block),
            Some(_) | None => {
                self.messages.push(Message { speaker: Speaker::User, blocks: vec![block] })
            }
        }
    }

    /// The messages of a run that ended, whole enough to be continued: every call has a result.
    pub fn into_history(mut self) -> Vec<Message> {
        if self.frame.is_some() {
            return self.messages;
        }
        while let Some(wanted) = self.pending.front() {
            let content = match Tool::by_name(&wanted.name) {
                Some(Tool::Ask) => "Your question was put to the person; your run ended here.",
                Some(tool) if tool.ends() => "Accepted. Your run ended here.",
                Some(_) | None if wanted.started => INTERRUPTED,
                Some(_) | None => "Not done: your run ended here.",
            };
            self.take_result(content, false);
        }
        self.messages
    }
}

/// Whether a result is that of a whole-block reply.
pub fn is_placing(call: &str) -> bool {
    call.starts_with(PLACE)
}

/// The result of a call that a crash cut off.
pub const INTERRUPTED: &str = "Interrupted: Baton was stopped while this ran. It was not run again, and the files are as they were before it. Call it again if you still need it.";

/// The files that an edit is about, as the model named them.
fn edited(wanted: &Wanted) -> Vec<String> {
    let tool = Tool::by_name(&wanted.name).filter(|it| it.edits());
    let text = |names: &[&str]| names.iter().find_map(|it| wanted.input[*it].as_str());
    match tool {
        None => Vec::new(),
        Some(Tool::ApplyPatch) => {
            patch::paths(text(&["patch", "input", "diff"]).unwrap_or_default())
        }
        Some(_) => {
            let path = text(&["path", "file_path", "filename", "file"]);
            path.map(str::to_owned).into_iter().collect()
        }
    }
}

fn calls(blocks: &[Block]) -> VecDeque<Wanted> {
    let uses = blocks.iter().filter_map(|block| match block {
        Block::ToolUse { id, name, input } => Some((id, name, input)),
        Block::Text { .. } | Block::ToolResult { .. } | Block::Opaque(_) => None,
    });
    uses.enumerate()
        .map(|(nth, (id, name, input))| Wanted {
            id: id.clone(),
            name: name.clone(),
            input: input.clone(),
            nth,
            started: false,
            is_half: false,
        })
        .collect()
}

fn no_call(ending: Ending) -> String {
    let what = match ending {
        Ending::CutOff => {
            "Your reply was cut off at the output limit, without a tool call. Be brief"
        }
        Ending::Whole | Ending::Refused => {
            "Your reply held no tool call, and text alone completes nothing"
        }
    };
    format!(
        "{what}. Go on with a tool; if your work is done, hand over with your hand-over tool; if you can't do it, decline."
    )
}

#[cfg(test)]
mod tests;
