//! The conversation of a run in whole blocks: a reply becomes the server's own deeds, and only what
//! failed is said to the model.

use super::{Next, REFUSED_MAX, Talk, Wanted};
use crate::agent::journal::Ending;
use crate::agent::stuck::Watch;
use crate::agent::tools::Tool;
use crate::agent::whole::{Deed, Frame};
use crate::model::{Block, Message, Speaker};

const WHY_CHARS_MAX: usize = 300;

impl Talk {
    /// Begins, or begins anew: what was said before is not sent any more.
    pub(super) fn open(&mut self, messages: &[Message], frame: Option<&Frame>) {
        self.messages = messages.to_vec();
        self.pending.clear();
        self.unanswered = None;
        self.again = None;
        self.failed_edits.clear();
        self.watch = Watch::default();
        (self.silent, self.refused, self.tries) = (0, 0, 0);
        self.frame = frame.cloned().map(Box::new);
        if let Some(input) = frame.and_then(|it| it.at_once.clone()) {
            self.pend([Deed { name: "hand_over_triage", input }]);
        }
    }

    /// What a run in whole blocks acts by; `None`: it has tools.
    pub fn frame(&self) -> Option<&Frame> {
        self.frame.as_deref()
    }

    /// Whether the model is not asked again after this.
    pub fn is_last_try(&self) -> bool {
        self.frame().is_some_and(|it| it.tries_max() <= self.tries)
    }

    fn pend(&mut self, deeds: impl IntoIterator<Item = Deed>) {
        let tries = self.tries;
        let wanted = deeds.into_iter().enumerate().map(|(nth, it)| Wanted {
            id: format!("{}.{tries}.{nth}", it.name),
            name: it.name.to_owned(),
            input: it.input,
            nth,
            started: false,
            is_half: false,
        });
        self.pending = wanted.collect();
    }

    pub(super) fn take_block_reply(&mut self, message: &Message, ending: Ending) {
        self.tries += 1;
        let text = text_of(message);
        let is_last = self.is_last_try();
        let deeds = self.frame().map(|it| it.deeds(&text, ending, is_last));
        match deeds {
            Some(Ok(deeds)) => self.pend(deeds),
            Some(Err(why)) => self.again = Some(why),
            None => {}
        }
        self.unanswered = (ending == Ending::Refused).then_some(ending);
        if !text.trim().is_empty() {
            let blocks = vec![Block::Text { text }];
            self.messages.push(Message { speaker: Speaker::Assistant, blocks });
        }
    }

    /// A deed that went well leads to the next one. One that failed ends the row, and the model hears why.
    pub(super) fn take_deed_result(&mut self, wanted: &Wanted, content: &str, is_error: bool) {
        if !is_error {
            return;
        }
        self.pending.clear();
        if Tool::by_name(&wanted.name).is_some_and(Tool::ends) {
            self.refused += 1;
            let next = self.frame().and_then(|it| it.after_refusal(&wanted.input, content));
            if let Some(deed) = next {
                self.tries += 1;
                self.pend([deed]);
                return;
            }
        }
        self.why = content.chars().take(WHY_CHARS_MAX).collect();
        self.say(Block::Text { text: content.to_owned() });
    }

    pub(super) fn next_in_blocks(&self) -> Next {
        if let Some(wanted) = self.pending.front() {
            return Next::Do(wanted.clone());
        }
        if REFUSED_MAX <= self.refused {
            return Next::Stuck(format!("{REFUSED_MAX} hand-overs were refused"));
        }
        if self.unanswered == Some(Ending::Refused) {
            return Next::Stuck("the model refused to go on".to_owned());
        }
        if let (Some(limit), true) = (&self.closing, self.closed) {
            return Next::UsedUp(limit.clone());
        }
        if self.is_last_try() {
            let why = self.again.as_ref().unwrap_or(&self.why);
            let why = why.lines().next().unwrap_or_default();
            return Next::Stuck(format!(
                "{} replies did not get there; the last: {why}",
                self.tries
            ));
        }
        match &self.again {
            Some(text) => Next::Say(text.clone()),
            None => Next::AskModel,
        }
    }
}

/// The words of a reply; a call, which nobody offered, as its arguments.
fn text_of(message: &Message) -> String {
    let texts = message.blocks.iter().filter_map(|block| match block {
        Block::Text { text } => Some(text.clone()),
        Block::ToolUse { input, .. } => Some(input.to_string()),
        Block::ToolResult { .. } | Block::Opaque(_) => None,
    });
    texts.collect::<Vec<_>>().join("\n")
}
