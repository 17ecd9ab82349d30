//! The model's words for those who watch: made safe, and a few pieces a second instead of one for
//! every token.

use crate::agent::request::{Progress, Request};
use crate::clean;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// Words that come within this time are shown together.
const WINDOW: Duration = Duration::from_millis(33);
const PIECE_CHARS_MAX: usize = 2_000;

pub struct Show {
    out: mpsc::Sender<Request>,
    piece: String,
    /// Holds back what may become a secret.
    secrets: clean::Stream,
    shown_at: Instant,
}

impl Show {
    pub fn new(out: mpsc::Sender<Request>) -> Show {
        let (piece, secrets) = (String::new(), clean::stream());
        Show { out, piece, secrets, shown_at: Instant::now() }
    }

    pub fn text(&mut self, text: &str) {
        let clear = self.secrets.push(text.as_bytes());
        self.add(&String::from_utf8_lossy(&clear));
        if WINDOW <= self.shown_at.elapsed() {
            self.show();
        }
    }

    fn add(&mut self, text: &str) {
        let room = PIECE_CHARS_MAX.saturating_sub(self.piece.chars().count());
        self.piece.extend(text.chars().take(room));
    }

    pub fn waits(&mut self, why: &str, wait_ms: u64) {
        self.flush();
        let why = clean::line(why);
        let _ = self.out.try_send(Request::Progress(Progress::Waits { why, wait_ms }));
    }

    /// A text is at its end.
    pub fn flush(&mut self) {
        let rest = std::mem::replace(&mut self.secrets, clean::stream()).finish();
        self.add(&String::from_utf8_lossy(&rest));
        self.show();
    }

    fn show(&mut self) {
        self.shown_at = Instant::now();
        if !self.piece.is_empty() {
            let text = clean::text(&std::mem::take(&mut self.piece));
            let _ = self.out.try_send(Request::Progress(Progress::Says(text)));
        }
    }
}
