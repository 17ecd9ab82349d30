//! The fenced blocks of a reply.

/// One fenced block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fence {
    /// What stands after the opening fence.
    pub info: String,
    /// The last line with words before it.
    pub above: String,
    pub text: String,
    /// Its closing fence is there.
    pub closed: bool,
}

/// More blocks than this are not looked at.
const FENCES_MAX: usize = 20;

/// The blocks that hold anything.
pub fn read(reply: &str) -> Vec<Fence> {
    let mut found: Vec<Fence> = Vec::new();
    let mut open: Option<(Mark, Fence)> = None;
    let mut above = String::new();
    for line in reply.lines() {
        open = match open {
            None => match mark(line) {
                Some(mark) => {
                    let info = mark.info.clone();
                    let fence =
                        Fence { info, above: above.clone(), text: String::new(), closed: false };
                    Some((mark, fence))
                }
                None => {
                    if !line.trim().is_empty() {
                        above = line.trim().to_owned();
                    }
                    None
                }
            },
            Some((start, mut fence)) => {
                if mark(line).is_some_and(|it| it.closes(&start)) {
                    fence.closed = true;
                    found.push(fence);
                    above.clear();
                    None
                } else {
                    fence.text.push_str(start.without_indent(line));
                    fence.text.push('\n');
                    Some((start, fence))
                }
            }
        };
    }
    found.extend(open.map(|it| it.1));
    found.retain(|it| !it.text.trim().is_empty());
    found.truncate(FENCES_MAX);
    found
}

/// The words around the blocks, on one line.
pub fn prose(reply: &str) -> String {
    let mut open: Option<Mark> = None;
    let mut words: Vec<&str> = Vec::new();
    for line in reply.lines() {
        match (&open, mark(line)) {
            (None, Some(it)) => open = Some(it),
            (Some(start), Some(it)) if it.closes(start) => open = None,
            (None, None) => words.extend(line.split_whitespace()),
            (Some(_), _) => {}
        }
    }
    words.join(" ")
}

struct Mark {
    char: char,
    count: usize,
    indent: usize,
    info: String,
}

impl Mark {
    fn closes(&self, start: &Mark) -> bool {
        self.char == start.char && start.count <= self.count && self.info.is_empty()
    }

    /// A fence inside of a list is indented with its content.
    fn without_indent<'a>(&self, line: &'a str) -> &'a str {
        let space = line.chars().take(self.indent).take_while(|it| it.is_whitespace()).count();
        line.get(space..).unwrap_or(line)
    }
}

fn mark(line: &str) -> Option<Mark> {
    let text = line.trim_start();
    let char = text.chars().next().filter(|it| matches!(it, '`' | '~'))?;
    let count = text.chars().take_while(|it| *it == char).count();
    let info = text.get(count..).unwrap_or_default().trim();
    let indent = line.chars().take_while(|it| *it == ' ').count();
    let is_mark = 3 <= count && !info.contains('`');
    is_mark.then(|| Mark { char, count, indent, info: info.to_owned() })
}
