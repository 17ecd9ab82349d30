//! The money of one person's day, over all repositories, and what is held for calls under way.
//!
//! Each repository's hub is the only one that writes that repository's file, with what it spent today
//! and what it holds; all read all of them, under one lock, so that hubs of several processes don't
//! pass the day's cap together. The files are a means, not a record: each hub writes its own anew from
//! its log when it opens.

use super::now_ms;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use team::{Day, DayMoney, Grant, RunId, Team, Usage, Wish, grant};

/// The folder of these files, beside the repositories' own.
const FOLDER: &str = "spent";
/// A file is two numbers.
const FILE_BYTES_MAX: u64 = 64;
/// Files that are read; a person has fewer repositories.
const FILES_MAX: usize = 10_000;

pub(super) struct Purse {
    folder: PathBuf,
    /// The name of this repository's file.
    own: String,
    micros_max: u64,
    /// At its worst, what each call under way costs.
    held: BTreeMap<RunId, Usage>,
}

impl Purse {
    /// `dir`: this repository's state folder, in the person's.
    pub(super) fn open(dir: &Path, micros_max: u64, team: &Team) -> Purse {
        let name = dir.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let folder = dir.parent().unwrap_or(dir).join(FOLDER);
        let purse = Purse { folder, own: name, micros_max, held: BTreeMap::new() };
        purse.publish(team);
        purse
    }

    /// Answers a wish, and holds what it grants. Whatever was held for this run before is let go.
    pub(super) fn reserve(
        &mut self,
        team: &Team,
        run: RunId,
        wish: &Wish,
        is_closing: bool,
    ) -> Grant {
        self.held.remove(&run);
        let lock = self.lock();
        let day = self.day(team);
        let granted = grant(team, &self.held, run, wish, is_closing, day);
        match &granted {
            Grant::Call { output_tokens_max } | Grant::Closing { output_tokens_max, .. } => {
                self.held.insert(run, wish.at_most(*output_tokens_max));
            }
            Grant::No { .. } => (),
        }
        self.write(team, today());
        drop(lock);
        granted
    }

    /// The call has ended: it is spent, and so in the team, or it never will be. Whether anything was
    /// held for it; others see it with the next `publish`.
    pub(super) fn let_go(&mut self, run: RunId) -> bool {
        self.held.remove(&run).is_some()
    }

    /// Tells the other repositories' hubs.
    pub(super) fn publish(&self, team: &Team) {
        let lock = self.lock();
        self.write(team, today());
        drop(lock);
    }

    /// The day's money as it stands now, with all that is held.
    pub(super) fn day(&self, team: &Team) -> DayMoney {
        let number = today();
        let spent_micros = self.own_micros(team, number).saturating_add(self.others(number));
        DayMoney { spent_micros, micros_max: self.micros_max }
    }

    fn own_micros(&self, team: &Team, number: u64) -> u64 {
        let spent = if team.today.number == number { team.today.micros } else { 0 };
        self.held.values().fold(spent, |sum, it| sum.saturating_add(it.micros))
    }

    fn others(&self, number: u64) -> u64 {
        let Ok(entries) = std::fs::read_dir(&self.folder) else { return 0 };
        let others = entries.take(FILES_MAX).flatten().filter(|it| *it.file_name() != *self.own);
        others.filter_map(|it| micros_on(&it.path(), number)).fold(0, u64::saturating_add)
    }

    fn write(&self, team: &Team, number: u64) {
        let text = format!("{number} {}\n", self.own_micros(team, number));
        let written = tempfile::NamedTempFile::new_in(&self.folder).and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.persist(self.folder.join(&self.own)).map_err(|it| it.error)
        });
        // The repository's own money is in its log and holds in any case.
        if let Err(error) = written {
            tracing::warn!(%error, "other repositories don't see what this one spends today");
        }
    }

    fn lock(&self) -> Option<File> {
        let locked = std::fs::create_dir_all(&self.folder).and_then(|()| {
            let file = File::create(self.folder.join(".lock"))?;
            file.lock().map(|()| file)
        });
        locked.inspect_err(|error| tracing::warn!(%error, "the day's money is not locked")).ok()
    }
}

fn today() -> u64 {
    Day::number_at(now_ms())
}

/// What this file says was spent on that day; `None`: it is about another one, or no such file.
fn micros_on(path: &Path, number: u64) -> Option<u64> {
    let mut text = String::new();
    let read = File::open(path).and_then(|it| it.take(FILE_BYTES_MAX).read_to_string(&mut text));
    if let Err(error) = &read
        && error.kind() != ErrorKind::NotFound
    {
        tracing::warn!(%error, "can't read what a repository spent today");
    }
    let (day, micros) = text.trim().split_once(' ')?;
    (day.parse() == Ok(number)).then(|| micros.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    const WISH: Wish = Wish {
        input_tokens: 1_000,
        input_micros: 2_000,
        output_tokens_max: 8_000,
        output_nanos: 10_000,
    };

    #[test]
    fn several_repositories_share_one_day() {
        let home = tempfile::tempdir().unwrap();
        let (team, max) = (Team::default(), 1_000_000);
        let mut one = Purse::open(&home.path().join("one-1"), max, &team);
        let two = Purse::open(&home.path().join("two-2"), max, &team);
        assert_eq!(two.day(&team), DayMoney { spent_micros: 0, micros_max: max });
        one.held.insert(RunId(1), WISH.at_most(8_000));
        one.publish(&team);
        assert_eq!(two.day(&team).spent_micros, 82_000);
        assert!(one.let_go(RunId(1)) && !one.let_go(RunId(1)));
        one.publish(&team);
        assert_eq!(two.day(&team).spent_micros, 0);
    }

    #[test]
    fn another_day_and_nonsense_count_for_nothing() {
        let home = tempfile::tempdir().unwrap();
        let purse = Purse::open(&home.path().join("one-1"), 5, &Team::default());
        let write = |name: &str, text: String| {
            std::fs::write(home.path().join(FOLDER).join(name), text).unwrap();
        };
        write("old", format!("{} 70", today() - 1));
        write("empty", String::new());
        write("words", format!("{} many", today()));
        assert_eq!(purse.day(&Team::default()).spent_micros, 0);
        write("new", format!("{} 70\n", today()));
        assert_eq!(purse.day(&Team::default()).spent_micros, 70);
    }

    #[test]
    fn without_a_folder_the_own_money_still_holds() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut purse = Purse::open(&file.path().join("one-1"), 5, &Team::default());
        let granted = purse.reserve(&Team::default(), RunId(1), &WISH, false);
        assert!(matches!(granted, Grant::No { .. }), "{granted:?}");
        assert_eq!(purse.day(&Team::default()), DayMoney { spent_micros: 0, micros_max: 5 });
    }
}
