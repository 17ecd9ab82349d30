//! What a day may cost, over all repositories of a user. The one state that hubs share: one owner in
//! the process, asked before a call and told after it, and a small file so that a restart in the
//! middle of a day forgets nothing.

use crate::config::Home;
use std::path::PathBuf;
use std::sync::Arc;
use team::Millis;
use tokio::sync::watch;

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// Cheap to clone.
#[derive(Clone)]
pub struct Quota {
    file: Arc<PathBuf>,
    spent: Arc<watch::Sender<Spent>>,
}

/// Micro-dollars of one day; days are counted from the epoch, in UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Spent {
    day: u64,
    micros: u64,
}

impl Quota {
    pub fn new(home: &Home) -> Quota {
        let file = home.state_dir.join("day");
        let read = std::fs::read_to_string(&file).ok().and_then(|it| Spent::read(&it));
        let spent = Arc::new(watch::Sender::new(read.unwrap_or_default()));
        Quota { file: Arc::new(file), spent }
    }

    /// What this user's day cost so far, in micro-dollars.
    pub fn spent(&self, now: Millis) -> u64 {
        let spent = *self.spent.borrow();
        if spent.day == now / DAY_MS { spent.micros } else { 0 }
    }

    /// Adds what a call cost. Another process may have added to the file meanwhile: the larger sum of
    /// the day counts.
    pub fn add(&self, now: Millis, micros: u64) {
        if micros == 0 {
            return;
        }
        self.spent.send_modify(|spent| {
            let day = now / DAY_MS;
            let read = std::fs::read_to_string(&*self.file).ok();
            let read = read.and_then(|it| Spent::read(&it)).unwrap_or_default();
            let of = |it: Spent| if it.day == day { it.micros } else { 0 };
            let micros = of(*spent).max(of(read)).saturating_add(micros);
            *spent = Spent { day, micros };
            // Written aside and renamed: a reader finds the old sum or the new one.
            let aside = self.file.with_extension("new");
            let written = std::fs::write(&aside, format!("{day} {micros}\n"));
            if let Err(why) = written.and_then(|()| std::fs::rename(&aside, &*self.file)) {
                tracing::warn!(%why, "the day's spend is kept in memory alone");
            }
        });
    }
}

impl Spent {
    fn read(text: &str) -> Option<Spent> {
        let (day, micros) = text.trim().split_once(' ')?;
        Some(Spent { day: day.parse().ok()?, micros: micros.parse().ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_summed_over_hubs_and_restarts_and_the_next_one_is_free() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home {
            config_file: dir.path().join("config.toml"),
            state_dir: dir.path().to_path_buf(),
            cache_dir: dir.path().to_path_buf(),
            runtime_dir: None,
        };
        let (one, other) = (Quota::new(&home), Quota::new(&home));
        one.add(DAY_MS + 5, 200);
        one.clone().add(DAY_MS + 6, 50);
        assert_eq!(one.spent(DAY_MS + 7), 250);
        other.add(DAY_MS + 8, 1);
        assert_eq!(Quota::new(&home).spent(DAY_MS + 9), 251);
        assert_eq!(one.spent(2 * DAY_MS), 0);
        std::fs::write(dir.path().join("day"), "nonsense").unwrap();
        assert_eq!(Quota::new(&home).spent(DAY_MS), 0);
    }
}
