//! The steps of a run. A run *is* its steps: what the model is shown and what happens next follow from
//! them alone, so a run that was killed goes on where its journal ends.

use crate::agent::format::Format;
use crate::agent::whole::Frame;
use crate::clean;
use crate::model::{Block, Message, Stop};
use serde::{Deserialize, Serialize};
use team::{Code, Failure, TreeId, Usage};

/// One step, written down before it is acted on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum StepBody {
    /// How the conversation begins. Always the first step: it makes the journal whole in itself, so
    /// that a later release which words a brief differently still replays the same bytes.
    Opened {
        messages: Vec<Message>,
        /// How edits are written from here on.
        #[serde(default)]
        format: Format,
        /// What the server acts by where the model has no tools.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        frame: Option<Box<Frame>>,
    },
    /// The model's reply, block by block as the provider sent it.
    Reply { message: Message, ending: Ending, usage: Usage },
    /// A call that has effects outside the slot's files begins. Without a result after it, it was cut
    /// off and is not run again by itself.
    Started { call: String },
    /// What a call gave. `call` is the id of the model's tool use.
    Result {
        call: String,
        content: String,
        is_error: bool,
        /// The slot's files afterwards, where they may have changed.
        tree: Option<TreeId>,
    },
    /// Baton's own words to the model.
    Note { text: String, why: NoteWhy },
    /// Old tool outputs were shortened; the last `keep` stayed whole.
    Elided { keep: u32 },
}

/// How a reply ended, as far as the loop cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ending {
    Whole,
    /// At the limit of output; its last call may be half a call.
    CutOff,
    /// The model will not go on.
    Refused,
}

impl Ending {
    pub fn of(stop: &Stop) -> Ending {
        match stop {
            Stop::EndTurn | Stop::ToolUse | Stop::Other(_) => Ending::Whole,
            Stop::MaxTokens => Ending::CutOff,
            Stop::Refusal => Ending::Refused,
        }
    }
}

/// Why Baton spoke.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NoteWhy {
    /// The reply held no tool call.
    NoCall,
    /// People said something: with it the model was told their first so many words.
    Words { words: u32 },
    /// The budget is used up: the next reply is the last.
    Closing,
}

impl StepBody {
    /// Takes secrets out of what is said, called and given. What a provider signed stays as it is: a
    /// changed byte would make it invalid.
    pub fn redact(&mut self) {
        match self {
            StepBody::Opened { messages, frame, format: _ } => {
                messages.iter_mut().flat_map(|it| &mut it.blocks).for_each(redact_block);
                if let Some(frame) = frame {
                    frame.words = clean::redact(&frame.words);
                }
            }
            StepBody::Reply { message, .. } => message.blocks.iter_mut().for_each(redact_block),
            StepBody::Result { content, .. } => *content = clean::redact(content),
            StepBody::Note { text, .. } => *text = clean::redact(text),
            StepBody::Started { .. } | StepBody::Elided { .. } => {}
        }
    }

    /// The journal's column of the same name.
    pub fn kind(&self) -> &'static str {
        match self {
            StepBody::Reply { .. } => "reply",
            StepBody::Started { .. } => "started",
            StepBody::Result { .. } => "result",
            StepBody::Opened { .. } | StepBody::Note { .. } | StepBody::Elided { .. } => "note",
        }
    }

    /// The step as JSON. Errors: `Bug` alone.
    pub fn to_json(&self) -> Result<String, Failure> {
        serde_json::to_string(self)
            .map_err(|error| Failure::new(Code::Bug, format!("write a step: {error}")))
    }

    /// A step as it was stored. Errors: `Store` when it is not one of ours.
    pub fn from_json(body: &str) -> Result<StepBody, Failure> {
        serde_json::from_str(body).map_err(|error| {
            Failure::new(Code::Store, format!("read a step of the journal: {error}"))
        })
    }

    /// The slot's files after this step, where it says so.
    pub fn tree(&self) -> Option<&TreeId> {
        match self {
            StepBody::Result { tree, .. } => tree.as_ref(),
            StepBody::Opened { .. }
            | StepBody::Reply { .. }
            | StepBody::Started { .. }
            | StepBody::Note { .. }
            | StepBody::Elided { .. } => None,
        }
    }
}

/// The edit format that a run has now; `None`: it has no steps.
pub fn format_of(steps: &[StepBody]) -> Option<Format> {
    steps.iter().rev().find_map(|it| match it {
        StepBody::Opened { format, .. } => Some(*format),
        StepBody::Reply { .. }
        | StepBody::Started { .. }
        | StepBody::Result { .. }
        | StepBody::Note { .. }
        | StepBody::Elided { .. } => None,
    })
}

fn redact_block(block: &mut Block) {
    match block {
        Block::Text { text } => *text = clean::redact(text),
        Block::ToolUse { input, .. } => clean::redact_json(input),
        Block::ToolResult { content, .. } => *content = clean::redact(content),
        Block::Opaque(_) => {}
    }
}

/// The tree to put a slot back to before its run goes on; `None`: where the run started.
pub fn last_tree(steps: &[StepBody]) -> Option<&TreeId> {
    steps.iter().rev().find_map(StepBody::tree)
}
