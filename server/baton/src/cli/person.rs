//! The person at the terminal: prompts, what was typed, and how long it took. A decision is typed
//! out as a word; an end of input or anything unclear decides nothing.

use super::screen::{Screen, Shade};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;
use tokio::sync::oneshot;

/// A pause longer than this is no work on the task: the rest of it isn't counted.
const IDLE_MS_MAX: u64 = 2 * 60 * 1000;

/// Unclear answers in a row before it counts as "later".
pub const UNCLEAR_MAX: u32 = 5;

/// Asks on standard error, reads lines from standard input, and measures the human time.
pub struct Person<'a> {
    screen: &'a Screen,
    spent_ms: AtomicU64,
}

/// What a person may choose when an approval is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    Approve,
    /// Some hunks of it.
    Some,
    Apply,
    Reject,
    Revise,
    Rebuild,
    Diff,
    Later,
    /// No decision: asked again.
    Unclear,
}

/// Decisions are whole words, so that no stray key decides.
pub fn choice(typed: &str) -> Choice {
    match typed.trim().to_lowercase().as_str() {
        "approve" => Choice::Approve,
        "some" => Choice::Some,
        "apply" => Choice::Apply,
        "reject" => Choice::Reject,
        "revise" => Choice::Revise,
        "rebuild" => Choice::Rebuild,
        "diff" | "d" => Choice::Diff,
        "later" | "l" => Choice::Later,
        _ => Choice::Unclear,
    }
}

impl<'a> Person<'a> {
    pub fn new(screen: &'a Screen) -> Person<'a> {
        Person { screen, spent_ms: AtomicU64::new(0) }
    }

    /// Somebody can be asked here: both ends are terminals.
    pub fn is_here(&self) -> bool {
        self.screen.in_is_terminal && self.screen.err_is_terminal
    }

    /// Human time so far, in milliseconds.
    pub fn spent_ms(&self) -> u64 {
        self.spent_ms.load(Ordering::Relaxed)
    }

    /// Shows the prompt and waits for a line. `None`: the end of input.
    pub async fn line(&self, prompt: &str) -> Option<String> {
        self.line_since(Instant::now(), prompt).await
    }

    /// The same, where the person has been reading since `shown`.
    pub async fn line_since(&self, shown: Instant, prompt: &str) -> Option<String> {
        // What was typed before the question was on the screen is no answer to it.
        let _ = rustix::termios::tcflush(std::io::stdin(), rustix::termios::QueueSelector::IFlush);
        self.screen.ask(&self.screen.paint_err(Shade::Strong, prompt));
        let (tell, told) = oneshot::channel();
        // A thread of its own: a blocked read can't be cancelled, and must not hold up the end.
        std::thread::spawn(move || {
            let mut text = String::new();
            let read = std::io::stdin().read_line(&mut text);
            let _ = tell.send(read.ok().filter(|it| 0 < *it).map(|_| text));
        });
        let typed = told.await.ok().flatten();
        let took = u64::try_from(shown.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.spent_ms.fetch_add(counted(took), Ordering::Relaxed);
        if typed.is_none() {
            self.screen.note("");
        }
        typed
    }

    /// A yes typed in full.
    pub async fn says_yes(&self, question: &str) -> bool {
        let typed = self.line(&format!("{question} Type yes: ")).await;
        typed.is_some_and(|it| it.trim().eq_ignore_ascii_case("yes"))
    }
}

/// How much of a pause counts as work.
fn counted(took_ms: u64) -> u64 {
    took_ms.min(IDLE_MS_MAX)
}

/// An answer to a question: the number of an option means its text.
pub fn option_text(typed: &str, options: &[String]) -> Option<String> {
    let typed = typed.trim();
    if typed.is_empty() {
        return None;
    }
    let by_number = typed.parse::<usize>().ok().and_then(|it| it.checked_sub(1));
    let option = by_number.and_then(|it| options.get(it));
    Some(option.map_or_else(|| typed.to_owned(), Clone::clone))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_words_decide() {
        for unclear in ["", "y", "yes", "a", "ok", "approve it", "r", "re", "\u{4}", "approved"] {
            assert_eq!(choice(unclear), Choice::Unclear, "{unclear:?}");
        }
        assert_eq!(choice(" Approve\n"), Choice::Approve);
        assert_eq!(choice("reject"), Choice::Reject);
        assert_eq!(choice("l"), Choice::Later);
    }

    #[test]
    fn a_long_pause_is_cut() {
        assert_eq!(counted(5_000), 5_000);
        assert_eq!(counted(3_600_000), IDLE_MS_MAX);
    }

    #[test]
    fn a_number_names_an_option_and_anything_else_is_an_answer() {
        let options = ["keep".to_owned(), "drop".to_owned()];
        assert_eq!(option_text("2\n", &options).as_deref(), Some("drop"));
        assert_eq!(option_text("7", &options).as_deref(), Some("7"));
        assert_eq!(option_text("neither", &options).as_deref(), Some("neither"));
        assert_eq!(option_text("  ", &options), None);
    }
}
