//! Where a check's report goes and how it is read back. The file is written by code under test: it is
//! made fresh for each run, looked for inside its own folder alone, and read up to a limit.

use super::cases::Cases;
use super::{Ground, cargo, go, jest, junit, unittest};
use cap_std::fs::{Dir, OpenOptions, OpenOptionsExt};
use std::io::Read;
use std::path::{Path, PathBuf};
use team::{Code, Failure, REPORT_FILE, Report, Tests};
use tempfile::TempDir;

/// Most of all files of one report.
const REPORT_BYTES_MAX: u64 = 32 * 1024 * 1024;
/// Most files of a report that is a folder.
const FILES_MAX: usize = 2_000;
/// The file's name in its fresh folder.
const FILE: &str = "report";

/// The place of one run's report.
pub(super) struct Place {
    /// A folder that did not exist before this run, in the build cache; gone with this.
    fresh: Option<TempDir>,
    slot: PathBuf,
}

impl Place {
    /// Ready for a run: nothing is there that an earlier one left.
    pub(super) fn prepare(report: &Report, argv: &[String], at: &Ground) -> Result<Place, Failure> {
        let in_command = argv.iter().any(|it| it.contains(REPORT_FILE));
        let fresh = match in_command {
            true => Some(fresh(&at.cache)?),
            false => None,
        };
        let place = Place { fresh, slot: at.slot.clone() };
        if let Report::Junit { path } = report
            && path != REPORT_FILE
        {
            place.clear(path).map_err(|why| {
                Failure::new(Code::Command, format!("clear the report {path}: {why}"))
                    .hint("`junit:PATH` names a file that the check writes, and nothing else")
            })?;
        }
        Ok(place)
    }

    /// The command with the file's path in it.
    pub(super) fn fill(&self, argv: &[String]) -> Vec<String> {
        let Some(fresh) = &self.fresh else { return argv.to_vec() };
        let file = fresh.path().join(FILE).to_string_lossy().into_owned();
        argv.iter().map(|it| it.replace(REPORT_FILE, &file)).collect()
    }

    /// Of a report in the worktree: what lies there is removed.
    fn clear(&self, path: &str) -> Result<(), String> {
        let root = open_dir(&self.slot)?;
        for file in files(&root, path)? {
            root.remove_file(&file).map_err(|it| format!("{file}: {it}"))?;
        }
        Ok(())
    }

    /// What the report says.
    pub(super) fn read(&self, report: &Report, output: &[u8], names: &[String]) -> Option<Tests> {
        let text = || String::from_utf8_lossy(output);
        let mut cases = Cases::default();
        match report {
            Report::Exit => return None,
            Report::Cargo => return Some(cargo::read_cargo(&text(), names)),
            Report::Unittest => unittest::read(&text(), &mut cases),
            Report::Go => go::read(&text(), &mut cases),
            Report::Jest => self.read_jest(&text(), &mut cases),
            Report::Junit { path } => self.read_junit(path, &mut cases),
        }
        Some(cases.tests(names))
    }

    fn read_jest(&self, output: &str, cases: &mut Cases) {
        let root = self.slot.to_string_lossy();
        match (&self.fresh, jest::in_output(output)) {
            (Some(_), _) => match self.fresh_file() {
                Ok(bytes) => jest::read(&bytes, &root, cases),
                Err(why) => cases.doubt(why),
            },
            (None, Some(line)) => jest::read(line.as_bytes(), &root, cases),
            (None, None) => cases.doubt("there is no JSON report in its output"),
        }
    }

    fn read_junit(&self, path: &str, cases: &mut Cases) {
        if path == REPORT_FILE {
            return match self.fresh_file() {
                Ok(bytes) => junit::read(&bytes, cases),
                Err(why) => cases.doubt(why),
            };
        }
        let read = || -> Result<Vec<Vec<u8>>, String> {
            let root = open_dir(&self.slot)?;
            let mut left = REPORT_BYTES_MAX;
            let all = files(&root, path)?;
            if all.is_empty() {
                return Err(format!("there is no report {path}"));
            }
            all.iter().map(|it| read_file(&root, it, &mut left)).collect()
        };
        match read() {
            Ok(all) => all.iter().for_each(|it| junit::read(it, cases)),
            Err(why) => cases.doubt(why),
        }
    }

    fn fresh_file(&self) -> Result<Vec<u8>, String> {
        let Some(fresh) = &self.fresh else {
            return Err(format!("its command does not name {REPORT_FILE}"));
        };
        let mut left = REPORT_BYTES_MAX;
        read_file(&open_dir(fresh.path())?, FILE, &mut left)
    }
}

fn fresh(cache: &Path) -> Result<TempDir, Failure> {
    let made = tempfile::Builder::new().prefix("report-").tempdir_in(cache);
    made.map_err(|error| {
        Failure::new(Code::Command, format!("make a folder for a report: {error}"))
            .hint("look at the rights and the free space of Baton's state folder")
    })
}

pub(super) fn open_dir(path: &Path) -> Result<Dir, String> {
    let dir = Dir::open_ambient_dir(path, cap_std::ambient_authority());
    dir.map_err(|error| format!("its report can't be looked for: {error}"))
}

/// The file, or the `*.xml` files of a folder (`dir/`), sorted; none where there is nothing.
fn files(root: &Dir, path: &str) -> Result<Vec<String>, String> {
    let Some(folder) = path.strip_suffix('/') else {
        return Ok(root.symlink_metadata(path).map(|_| path.to_string()).into_iter().collect());
    };
    let Ok(entries) = root.read_dir(folder) else { return Ok(vec![]) };
    let mut all = Vec::new();
    for entry in entries {
        let name = entry.map_err(|it| it.to_string())?.file_name();
        let Some(name) = name.to_str().filter(|it| it.ends_with(".xml")) else { continue };
        if FILES_MAX <= all.len() {
            return Err(format!("{path} holds more than {FILES_MAX} reports"));
        }
        all.push(format!("{folder}/{name}"));
    }
    all.sort();
    Ok(all)
}

/// Follows no link at the end and waits for no pipe; never leaves the folder.
pub(super) fn read_file(root: &Dir, path: &str, left: &mut u64) -> Result<Vec<u8>, String> {
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
    let shown = if path == FILE { "its report" } else { path };
    let file = root.open_with(path, &options).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => "it wrote no report".to_string(),
        _ => format!("{shown} can't be read: {error}"),
    })?;
    if !file.metadata().is_ok_and(|it| it.is_file()) {
        return Err(format!("{shown} is no regular file"));
    }
    let mut bytes = Vec::new();
    let read = file.take(*left + 1).read_to_end(&mut bytes);
    read.map_err(|error| format!("{shown} can't be read: {error}"))?;
    let over = || format!("{shown} is over {} MiB", REPORT_BYTES_MAX / 1024 / 1024);
    *left = left.checked_sub(bytes.len() as u64).ok_or_else(over)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::Environment;

    const GREEN: &str = r#"<testsuite><testcase name="a" classname="C"/></testsuite>"#;

    fn ground(dir: &TempDir) -> Ground {
        let (slot, cache) = (dir.path().join("slot"), dir.path().join("cache"));
        std::fs::create_dir_all(slot.join("reports")).unwrap();
        std::fs::create_dir_all(&cache).unwrap();
        let environment = Environment::from_lookup(|_| None);
        Ground::new(&slot, &cache, environment)
    }

    fn junit(path: &str) -> Report {
        Report::Junit { path: path.into() }
    }

    fn read(place: &Place, path: &str) -> Tests {
        place.read(&junit(path), b"", &[]).unwrap()
    }

    #[test]
    fn a_report_of_an_earlier_run_is_gone_before_the_next_one() {
        let dir = TempDir::new().unwrap();
        let at = ground(&dir);
        for (path, file) in [("out.xml", "out.xml"), ("reports/", "reports/a.xml")] {
            std::fs::write(at.slot.join(file), GREEN).unwrap();
            let place = Place::prepare(&junit(path), &[], &at).unwrap();
            let tests = read(&place, path);
            assert!(tests.passed == 0 && tests.trouble.is_some(), "{tests:?}");
            std::fs::write(at.slot.join(file), GREEN).unwrap();
            assert_eq!((read(&place, path).passed, read(&place, path).trouble), (1, None));
        }
        let argv = vec![format!("--out={REPORT_FILE}")];
        let first = Place::prepare(&junit(REPORT_FILE), &argv, &at).unwrap();
        let file = first.fill(&argv)[0].strip_prefix("--out=").unwrap().to_string();
        std::fs::write(&file, GREEN).unwrap();
        assert_eq!(read(&first, REPORT_FILE).passed, 1);
        let second = Place::prepare(&junit(REPORT_FILE), &argv, &at).unwrap();
        assert_ne!(second.fill(&argv), first.fill(&argv));
        assert!(read(&second, REPORT_FILE).trouble.is_some());
        drop(first);
        assert!(!Path::new(&file).exists());
    }

    #[test]
    fn no_link_is_followed_no_pipe_waited_for_and_no_end_of_size() {
        let dir = TempDir::new().unwrap();
        let at = ground(&dir);
        let outside = dir.path().join("outside.xml");
        std::fs::write(&outside, GREEN).unwrap();
        let place = Place::prepare(&junit("out.xml"), &[], &at).unwrap();
        let file = at.slot.join("out.xml");
        std::os::unix::fs::symlink(&outside, &file).unwrap();
        assert!(read(&place, "out.xml").trouble.is_some());
        std::fs::remove_file(&file).unwrap();
        let made = std::process::Command::new("mkfifo").arg(&file).status().unwrap();
        assert!(made.success());
        assert!(read(&place, "out.xml").trouble.is_some());
        std::fs::remove_file(&file).unwrap();
        let sparse = std::fs::File::create(&file).unwrap();
        sparse.set_len(REPORT_BYTES_MAX + 1).unwrap();
        assert!(read(&place, "out.xml").trouble.unwrap().contains("over 32 MiB"));
        // A folder that is a link out of the slot.
        std::os::unix::fs::symlink(dir.path(), at.slot.join("away")).unwrap();
        assert!(read(&place, "away/").trouble.is_some());
        assert!(read(&place, "away/outside.xml").trouble.is_some());
    }
}
