//! The tool `apply_patch`: several files in one patch, in the form that many models were trained on.
//!
//! All or nothing: every hunk is placed in memory first, and where the disk refuses one of the writes,
//! those before it are taken back. Paths go through the same rules as every other tool's.

use crate::agent::args;
use crate::agent::edit::{after_failing, report};
use crate::agent::files::{Content, Files, blob, content};
use std::collections::BTreeMap;

mod parse;
mod place;

use parse::Deed;

/// How a patch looks, for refusals.
pub const EXAMPLE: &str = "*** Begin Patch\n*** Update File: src/lib.rs\n@@ fn half\n a line that stays\n-a line that goes\n+a line that comes\n*** End Patch";

/// One change of a file, with what takes it back.
#[derive(Debug)]
enum Act {
    Write { path: String, bytes: Vec<u8>, before: Option<Vec<u8>> },
    Remove { path: String, before: Vec<u8> },
    Rename { from: String, to: String },
}

/// The files as they will be after the deeds planned so far.
struct Scene<'a> {
    files: &'a Files,
    /// `None`: removed.
    now: BTreeMap<String, Option<Vec<u8>>>,
    acts: Vec<Act>,
    said: Vec<String>,
}

/// The files that a patch names, as it names them; empty where it can't be read.
pub fn paths(patch: &str) -> Vec<String> {
    let deeds = parse::read(patch).unwrap_or_default();
    deeds.iter().map(|it| it.path().to_owned()).collect()
}

/// A patch that was sent as a command, as some models do: `apply_patch <<'EOF' ...`.
pub fn in_command(argv: Option<&[String]>, line: Option<&str>) -> Option<String> {
    let words: Vec<&str> = argv.unwrap_or_default().iter().map(String::as_str).collect();
    let text = match (words.as_slice(), line) {
        (["apply_patch", patch], _) => patch,
        (["sh" | "bash", "-c" | "-lc", line], _) => *line,
        ([], Some(line)) => line,
        _ => return None,
    };
    let is_patch = words.first() == Some(&"apply_patch")
        || text.trim_start().strip_prefix("apply_patch").is_some_and(|it| it.contains("<<"));
    (is_patch && text.contains(parse::BEGIN)).then(|| text.to_owned())
}

/// Changes, adds, deletes and moves files; gives the diffs. `failed`: how many edits of one of its
/// files failed in a row.
pub fn apply_patch(files: &Files, want: &args::ApplyPatch, failed: u32) -> Result<String, String> {
    let deeds = parse::read(&want.patch)?;
    check_blobs(files, &deeds, want.expected_blobs.as_deref().unwrap_or_default())?;
    let mut scene = Scene { files, now: BTreeMap::new(), acts: Vec::new(), said: Vec::new() };
    for deed in &deeds {
        scene.plan(deed, failed).map_err(nothing_changed)?;
    }
    carry_out(files, &scene.acts)?;
    Ok(scene.said.join("\n"))
}

fn nothing_changed(why: String) -> String {
    format!("the patch was not applied, no file is changed: {why}")
}

/// Entries are `PATH BLOB`, or a blob alone where the patch is about one file.
fn check_blobs(files: &Files, deeds: &[Deed], expected: &[String]) -> Result<(), String> {
    for entry in expected.iter().map(|it| it.trim()) {
        let (path, wanted) = match (entry.rsplit_once([' ', '=']), deeds) {
            (Some((path, blob)), _) => (path.trim(), blob),
            (None, [deed]) => (deed.path(), entry),
            (None, _) => return Err(format!("`{entry}` names no file; write it as PATH BLOB")),
        };
        let now = blob(&files.read(path)?);
        if wanted.is_empty() || !now.starts_with(wanted) {
            return Err(nothing_changed(format!(
                "`{path}` has changed, its blob is now {now}; read it again, then patch"
            )));
        }
    }
    Ok(())
}

impl Scene<'_> {
    fn plan(&mut self, deed: &Deed, failed: u32) -> Result<(), String> {
        let path = self.files.writable(deed.path())?;
        match deed {
            Deed::Add { text, .. } => self.add(path, text),
            Deed::Delete { .. } => self.delete(path),
            Deed::Update { to, hunks, .. } => {
                let before = self.text(&path)?;
                let after = place::patched(&before, hunks)
                    .map_err(|why| after_failing(&path, &before, why, failed))?;
                let path = match to {
                    Some(to) => self.rename(path, to)?,
                    None => path,
                };
                if before != after {
                    self.said.push(report(&path, &before, &after));
                    self.write(path, after.into_bytes(), Some(before.into_bytes()));
                } else if to.is_none() {
                    return Err(format!("`{path}` would stay as it is; the patch changes nothing"));
                }
                Ok(())
            }
        }
    }

    fn add(&mut self, path: String, text: &str) -> Result<(), String> {
        if self.exists(&path)? {
            return Err(format!("`{path}` is there already; change it with *** Update File"));
        }
        let lines = text.lines().count();
        self.said.push(format!("{path} added, {lines} lines\nblob: {}", blob(text.as_bytes())));
        self.write(path, text.as_bytes().to_vec(), None);
        Ok(())
    }

    fn delete(&mut self, path: String) -> Result<(), String> {
        let before = self.bytes(&path)?;
        self.said.push(format!("{path} deleted"));
        self.now.insert(path.clone(), None);
        self.acts.push(Act::Remove { path, before });
        Ok(())
    }

    fn rename(&mut self, from: String, to: &str) -> Result<String, String> {
        let to = self.files.writable(to)?;
        if to == from {
            return Ok(to);
        }
        if self.exists(&to)? {
            return Err(format!("`{to}` is there already; nothing is moved over it"));
        }
        let bytes = self.bytes(&from)?;
        self.now.insert(to.clone(), Some(bytes));
        self.now.insert(from.clone(), None);
        self.said.push(format!("{from} moved to {to}"));
        self.acts.push(Act::Rename { from, to: to.clone() });
        Ok(to)
    }

    fn write(&mut self, path: String, bytes: Vec<u8>, before: Option<Vec<u8>>) {
        self.now.insert(path.clone(), Some(bytes.clone()));
        self.acts.push(Act::Write { path, bytes, before });
    }

    fn exists(&self, path: &str) -> Result<bool, String> {
        match self.now.get(path) {
            Some(now) => Ok(now.is_some()),
            None => self.files.is_there(path),
        }
    }

    fn bytes(&self, path: &str) -> Result<Vec<u8>, String> {
        match self.now.get(path) {
            Some(Some(bytes)) => Ok(bytes.clone()),
            Some(None) => Err(format!("the patch removes `{path}` before")),
            None => self.files.read(path),
        }
    }

    fn text(&self, path: &str) -> Result<String, String> {
        match content(self.bytes(path)?) {
            Content::Text(text) => Ok(text),
            Content::Lossy(_) => Err(format!("`{path}` is not UTF-8, a patch would damage it")),
            Content::Binary => Err(format!("`{path}` is binary; leave it as it is")),
        }
    }
}

/// Writes these files: path, bytes before (`None`: no such file), bytes after. All of them, or none.
pub fn write_all(
    files: &Files,
    writes: Vec<(String, Option<Vec<u8>>, Vec<u8>)>,
) -> Result<(), String> {
    let acts = writes.into_iter().map(|(path, before, bytes)| Act::Write { path, bytes, before });
    let acts: Vec<Act> = acts.collect();
    for act in &acts {
        if let Act::Write { path, .. } = act {
            files.writable(path)?;
        }
    }
    carry_out(files, &acts)
}

/// Does the acts; where one fails, those before it are taken back.
fn carry_out(files: &Files, acts: &[Act]) -> Result<(), String> {
    for (at, act) in acts.iter().enumerate() {
        let done = match act {
            Act::Write { path, bytes, .. } => files.write(path, bytes),
            Act::Remove { path, .. } => files.remove(path),
            Act::Rename { from, to } => files.rename(from, to),
        };
        if let Err(why) = done {
            let left: Vec<String> =
                acts[..at].iter().rev().filter_map(|it| take_back(files, it).err()).collect();
            return Err(match left.is_empty() {
                true => nothing_changed(why),
                false => format!("{why}; and it could not be taken back: {}", left.join(", ")),
            });
        }
    }
    Ok(())
}

fn take_back(files: &Files, act: &Act) -> Result<(), String> {
    match act {
        Act::Write { path, before: Some(before), .. } | Act::Remove { path, before } => {
            files.write(path, before)
        }
        Act::Write { path, before: None, .. } => files.remove(path),
        Act::Rename { from, to } => files.rename(to, from),
    }
}

#[cfg(test)]
mod tests;
