//! Where words go: standard output and standard error, with colours only where a person looks at
//! them. Nothing else in the command line writes to either.

use super::args::{Color, Global};
use crate::clean;
use comfy_table::{ContentArrangement, Table, presets};
use indicatif::MultiProgress;
use std::io::{IsTerminal, Write};
use std::sync::Mutex;
use team::Usage;

/// Columns of a terminal that does not know.
const UNKNOWN_WIDTH: u16 = 80;

/// A shade of meaning, not a colour: what the text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shade {
    Plain,
    Strong,
    Good,
    Bad,
    Quiet,
    Name,
    Warn,
}

/// Both outputs and what is known of them.
pub struct Screen {
    out: Mutex<Box<dyn Write + Send>>,
    err: Mutex<Box<dyn Write + Send>>,
    colour_out: bool,
    colour_err: bool,
    pub plain: bool,
    pub out_is_terminal: bool,
    pub err_is_terminal: bool,
    pub in_is_terminal: bool,
    /// The live status lines below the text; hidden where standard error is no terminal.
    pub live: MultiProgress,
}

/// The exit code of a command that was cut off.
const INTERRUPTED: i32 = 130;

impl Screen {
    /// The process's own outputs.
    pub fn new(global: &Global) -> Screen {
        let (out_is_terminal, err_is_terminal) =
            (std::io::stdout().is_terminal(), std::io::stderr().is_terminal());
        let wanted = |terminal: bool| match global.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => terminal && !asked_for_no_colour(),
        };
        Screen {
            out: Mutex::new(Box::new(std::io::stdout())),
            err: Mutex::new(Box::new(std::io::stderr())),
            colour_out: wanted(out_is_terminal),
            colour_err: wanted(err_is_terminal),
            // A terminal that can't move its cursor gets lines alone.
            plain: global.plain || is_dumb(),
            out_is_terminal,
            err_is_terminal,
            in_is_terminal: std::io::stdin().is_terminal(),
            live: MultiProgress::new(),
        }
    }

    /// A line to standard output.
    pub fn line(&self, text: impl AsRef<str>) {
        self.raw(&format!("{}\n", text.as_ref()));
    }

    /// Text to standard output as it is. A reader that went away (`| head`) ends the process quietly,
    /// as interrupted: a task that was under way goes on with `baton resume`.
    pub fn raw(&self, text: &str) {
        let written = self.live.suspend(|| {
            let mut out = lock(&self.out);
            out.write_all(text.as_bytes()).and_then(|()| out.flush())
        });
        if written.is_err_and(|it| it.kind() == std::io::ErrorKind::BrokenPipe) {
            std::process::exit(INTERRUPTED);
        }
    }

    /// A line to standard error. There is nowhere to report that this failed.
    pub fn note(&self, text: impl AsRef<str>) {
        self.live.suspend(|| {
            let mut err = lock(&self.err);
            let _ = writeln!(err, "{}", text.as_ref()).and_then(|()| err.flush());
        });
    }

    /// Text to standard error without a line end: a prompt.
    pub fn ask(&self, text: &str) {
        self.live.suspend(|| {
            let mut err = lock(&self.err);
            let _ = write!(err, "{text}").and_then(|()| err.flush());
        });
    }

    /// The text in its shade, for standard output.
    pub fn paint(&self, shade: Shade, text: &str) -> String {
        paint(self.colour_out, shade, text)
    }

    /// The text in its shade, for standard error.
    pub fn paint_err(&self, shade: Shade, text: &str) -> String {
        paint(self.colour_err, shade, text)
    }

    /// A symbol, or its ASCII spelling where asked for plain lines.
    pub fn symbol<'a>(&self, symbol: &'a str, ascii: &'a str) -> &'a str {
        if self.plain { ascii } else { symbol }
    }

    /// A table: with borders for a person, aligned columns for a pipe.
    pub fn table(&self, head: &[&str], rows: &[Vec<String>]) {
        let mut table = Table::new();
        if self.out_is_terminal && !self.plain {
            table.load_style(presets::UTF8_FULL_CONDENSED);
            table.set_content_arrangement(ContentArrangement::Dynamic);
            // A terminal that says so doesn't know how wide it is.
            if table.width() == Some(0) {
                table.set_width(UNKNOWN_WIDTH);
            }
        } else {
            table.load_style(presets::NOTHING);
            table.set_content_arrangement(ContentArrangement::Disabled);
        }
        table.set_header(head.iter().copied());
        for row in rows {
            table.add_row(row.iter().map(String::as_str));
        }
        self.line(table.trim_fmt());
    }

    /// A unified diff, coloured where colours are on. Its text is somebody else's, and made safe.
    pub fn diff(&self, patch: &str) {
        for line in patch.lines() {
            let shade = match line.as_bytes().first() {
                Some(b'+') if line.starts_with("+++ ") => Shade::Strong,
                Some(b'-') if line.starts_with("--- ") => Shade::Strong,
                Some(b'+') => Shade::Good,
                Some(b'-') => Shade::Bad,
                Some(b'@') => Shade::Name,
                Some(b'd') if line.starts_with("diff ") => Shade::Strong,
                Some(_) | None => Shade::Plain,
            };
            self.line(self.paint(shade, &clean::exact(line)));
        }
    }
}

/// A poisoned lock only means that another writer panicked between two lines.
fn lock<T: ?Sized>(it: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    it.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// `NO_COLOR` with any text in it, or a terminal that knows no colours.
fn asked_for_no_colour() -> bool {
    let set = std::env::var_os("NO_COLOR").is_some_and(|it| !it.is_empty());
    set || is_dumb()
}

fn is_dumb() -> bool {
    std::env::var_os("TERM").is_some_and(|it| it == "dumb")
}

fn paint(on: bool, shade: Shade, text: &str) -> String {
    let code = match shade {
        Shade::Plain => return text.to_owned(),
        Shade::Strong => "1",
        Shade::Good => "32",
        Shade::Bad => "31",
        Shade::Quiet => "2",
        Shade::Name => "36",
        Shade::Warn => "33",
    };
    if on && !text.is_empty() { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
}

/// Text that somebody else wrote, as one line that can do nothing to a terminal.
pub fn safe(text: &str) -> String {
    clean::line(text.trim_end())
}

/// `0:07`, `12:30`, `1:02:03`.
pub fn duration(ms: u64) -> String {
    let seconds = ms / 1000;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if 0 < hours {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

/// The tokens of calls: `12.3k`, or `~12.3k` where some of them are an estimate.
pub fn tokens(usage: &Usage) -> String {
    let mark = if usage.estimated_calls == 0 { "" } else { "~" };
    format!("{mark}{}", count(usage.tokens()))
}

/// `950`, `12.3k`, `4.1M`.
pub fn count(n: u64) -> String {
    match n {
        0..1_000 => n.to_string(),
        1_000..1_000_000 => format!("{}.{}k", n / 1_000, n % 1_000 / 100),
        1_000_000.. => format!("{}.{}M", n / 1_000_000, n % 1_000_000 / 100_000),
    }
}

/// Micro-dollars as `$0.04`; `-` where nothing is known.
pub fn money(micros: u64) -> String {
    match micros {
        0 => "-".to_owned(),
        1..10_000 => "<$0.01".to_owned(),
        10_000.. => format!("${}.{:02}", micros / 1_000_000, micros % 1_000_000 / 10_000),
    }
}

/// The first line, cut to `width_max` characters with an ellipsis.
pub fn cut(text: &str, width_max: usize) -> String {
    let text = text.trim();
    let line = text.lines().next().unwrap_or("");
    let short: String = line.chars().take(width_max).collect();
    if short.len() < text.len() { format!("{}...", short.trim_end()) } else { short }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_a_person_writes_them() {
        assert_eq!(duration(0), "0:00");
        assert_eq!(duration(61_999), "1:01");
        assert_eq!(duration(3_723_000), "1:02:03");
        assert_eq!([count(999), count(1_050), count(4_190_000)], ["999", "1.0k", "4.1M"]);
        assert_eq!([money(0), money(9_999), money(1_230_000)], ["-", "<$0.01", "$1.23"]);
    }

    #[test]
    fn a_long_or_many_lined_text_is_cut_and_says_so() {
        assert_eq!(cut("  short ", 10), "short");
        assert_eq!(cut("one\ntwo", 10), "one...");
        assert_eq!(cut("äöüäöü", 3), "äöü...");
    }

    #[test]
    fn paint_adds_nothing_where_colours_are_off() {
        assert_eq!(paint(false, Shade::Bad, "x"), "x");
        assert_eq!(paint(true, Shade::Bad, "x"), "\u{1b}[31mx\u{1b}[0m");
    }
}
