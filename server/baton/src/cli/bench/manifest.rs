//! What is benched: a manifest names folders, and each holds one task: `base/` (the project),
//! `hidden/` (tests that are laid over a result to judge it) and `task.toml`.

use crate::cli::open::{Doing, Trouble};
use cap_std::ambient_authority;
use cap_std::fs::Dir;
use serde::Deserialize;
use std::path::Path;
use team::{Code, Failure};

/// Files of one project, and their text together: a task is a small thing.
const FILES_MAX: usize = 200;
const FILE_BYTES_MAX: u64 = 1 << 20;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    tasks: Vec<String>,
}

/// One task with everything that belongs to it.
#[derive(Clone, Debug)]
pub struct Task {
    pub name: String,
    /// Path with `/`, text.
    pub base: Vec<(String, String)>,
    pub hidden: Vec<(String, String)>,
    pub said: Said,
}

/// What `task.toml` says.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Said {
    /// The report, in a user's words.
    pub brief: String,
    /// The command that judges a result with the hidden files in place: exit code 0 is right.
    pub judge: Vec<String>,
    /// The tests that the Engineer names before the fix; empty: none.
    #[serde(default)]
    pub repro: Vec<String>,
    /// The Engineer's own test.
    #[serde(default)]
    pub test: Vec<Edit>,
    pub fix: Vec<Edit>,
    /// Wrong changes that somebody could have made.
    #[serde(default)]
    pub wrong: Vec<Wrong>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wrong {
    pub says: String,
    pub edit: Vec<Edit>,
}

/// A text that stands exactly once in the file, and what takes its place; without `old`: a new file.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    pub path: String,
    pub old: Option<String>,
    pub new: String,
}

/// The tasks of a manifest, in its order; `only`: those names, all where it is empty.
///
/// Errors: what is missing, unreadable or unknown, by file.
pub fn read(path: &Path, only: &[String]) -> Result<Vec<Task>, Trouble> {
    let doing = format!("read the manifest {}", path.display());
    let text = std::fs::read_to_string(path).doing(&doing)?;
    let manifest: Manifest = parse(&text).doing(&doing)?;
    if let Some(unknown) = only.iter().find(|it| !manifest.tasks.contains(it)) {
        let known = manifest.tasks.join(", ");
        return Err(Trouble::Wrong(format!("there is no task {unknown}; there are {known}")));
    }
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = Dir::open_ambient_dir(folder, ambient_authority()).doing(&doing)?;
    let wanted = manifest.tasks.iter().filter(|it| only.is_empty() || only.contains(it));
    wanted.map(|it| read_task(&folder, it).doing(format!("read the task {it}"))).collect()
}

fn parse<T: for<'a> Deserialize<'a>>(text: &str) -> Result<T, Failure> {
    toml::from_str(text).map_err(|it| bad(it.to_string()))
}

fn bad(why: impl Into<String>) -> Failure {
    Failure::new(Code::Config, why)
}

fn read_task(folder: &Dir, name: &str) -> Result<Task, Failure> {
    let io = |what: &str| {
        let what = what.to_owned();
        move |it: std::io::Error| bad(format!("{what}: {it}"))
    };
    let folder = folder.open_dir(name).map_err(io(name))?;
    let said: Said = parse(&folder.read_to_string("task.toml").map_err(io("task.toml"))?)?;
    if said.judge.is_empty() || said.fix.is_empty() {
        return Err(bad("task.toml names no judge or no fix"));
    }
    let mut task = Task { name: name.to_owned(), base: Vec::new(), hidden: Vec::new(), said };
    for (sub, files) in [("base", &mut task.base), ("hidden", &mut task.hidden)] {
        let dir = folder.open_dir(sub).map_err(io(sub))?;
        collect(&dir, "", files)?;
        files.sort();
    }
    for edits in changes(&task.said) {
        apply(&task.base, edits)?;
    }
    Ok(task)
}

/// Every list of edits that must fit the base.
fn changes(said: &Said) -> impl Iterator<Item = &[Edit]> {
    let wrong = said.wrong.iter().map(|it| it.edit.as_slice());
    [said.test.as_slice(), said.fix.as_slice()].into_iter().chain(wrong)
}

fn collect(dir: &Dir, prefix: &str, files: &mut Vec<(String, String)>) -> Result<(), Failure> {
    let fail = |it: std::io::Error| bad(format!("{prefix}: {it}"));
    for entry in dir.entries().map_err(fail)? {
        let entry = entry.map_err(fail)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{prefix}{name}");
        let meta = entry.metadata().map_err(fail)?;
        if meta.is_dir() {
            collect(&entry.open_dir().map_err(fail)?, &format!("{path}/"), files)?;
            continue;
        }
        if FILES_MAX <= files.len() || FILE_BYTES_MAX < meta.len() {
            let text = format!("{path}: more than {FILES_MAX} files or {FILE_BYTES_MAX} bytes");
            return Err(bad(text));
        }
        let text = dir.read_to_string(&name).map_err(fail)?;
        files.push((path, text));
    }
    Ok(())
}

/// The files with these edits made. Errors: a text that does not stand in its file exactly once.
pub fn apply(files: &[(String, String)], edits: &[Edit]) -> Result<Vec<(String, String)>, Failure> {
    let mut files = files.to_vec();
    for edit in edits {
        let found = files.iter_mut().find(|it| it.0 == edit.path);
        match (&edit.old, found) {
            (Some(old), Some((_, text))) if text.matches(old.as_str()).count() == 1 => {
                *text = text.replacen(old.as_str(), &edit.new, 1);
            }
            (None, None) => files.push((edit.path.clone(), edit.new.clone())),
            (Some(old), Some(_)) => {
                return Err(bad(format!("{}: not exactly once there: {old}", edit.path)));
            }
            (Some(_), None) => return Err(bad(format!("{}: no such file", edit.path))),
            (None, Some(_)) => return Err(bad(format!("{}: is there already", edit.path))),
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(path: &str, old: Option<&str>, new: &str) -> Edit {
        Edit { path: path.into(), old: old.map(Into::into), new: new.into() }
    }

    #[test]
    fn an_edit_fits_exactly_once_or_is_refused() {
        let files = vec![("a.txt".to_owned(), "one two two".to_owned())];
        let done = apply(&files, &[edit("a.txt", Some("one"), "1"), edit("b.txt", None, "b")]);
        let done = done.unwrap();
        assert_eq!(done[0].1, "1 two two");
        assert_eq!(done[1], ("b.txt".to_owned(), "b".to_owned()));
        for wrong in [
            edit("a.txt", Some("two"), "2"),
            edit("a.txt", Some("none"), "2"),
            edit("c.txt", Some("one"), "1"),
            edit("a.txt", None, "over it"),
        ] {
            assert!(apply(&files, std::slice::from_ref(&wrong)).is_err(), "{wrong:?}");
        }
    }
}
