//! Keeps the last lines of a log.

/// At most `size` lines; a new one pushes the oldest out.
#[derive(Clone, Debug)]
pub struct Ring {
    lines: Vec<String>,
    size: usize,
    next: usize,
}

impl Ring {
    /// An empty ring. `size` is at least 1.
    pub fn new(size: usize) -> Ring {
        Ring {
            lines: Vec::new(),
            size: size.max(1),
            next: 0,
        }
    }

    pub fn push(&mut self, line: &str) {
        if self.lines.len() < self.size {
            self.lines.push(line.to_owned());
        } else {
            self.lines[self.next] = line.to_owned();
        }
        self.next = (self.next + 1) % self.size;
    }

    /// The lines kept, oldest first.
    pub fn lines(&self) -> Vec<&str> {
        self.lines.iter().map(String::as_str).collect()
    }
}
