//! A damaged log never stops a start: it is set aside under another name, what can be proven to be
//! ours goes into a new one, and a note says what happened.

use super::carve::{Pages, Row};
use super::fault::{failed, failed_io};
use super::head::{self, End};
use super::rows::{self, Broken, Replayed, Tail};
use super::schema::{self, SEALED};
use super::seal::{Hash, chain, genesis, hex, seal};
use super::{DATABASE, beside, broken, create_private, file_name, reader, shelf, sync_file};
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, Transaction};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use team::{Event, Failure};

/// Up to this size everything is checked at every start; of a larger log the events since the last
/// checkpoint, and the rest when something was found wrong, or by `doctor`.
const DEEP_CHECK_BYTES_MAX: u64 = 16 << 20;

/// Makes the next start check everything.
pub(super) fn suspect(path: &Path) {
    // Best effort: the damage itself will be found again when it is read again.
    let _ = fs::write(beside(path, "suspect"), b"");
}

/// A salvage was cut off between its renames: the new database is complete by then.
pub(super) fn finish_swap(dir: &Path) -> Result<(), Failure> {
    let path = dir.join(DATABASE);
    let new = beside(&path, "new");
    if !new.exists() {
        return Ok(());
    }
    if path.exists() {
        return fs::remove_file(&new).map_err(|it| failed_io("open the log", &it));
    }
    let aside = beside(&path, &format!("damaged-{}", last_damaged(&path).max(1)));
    swap(&path, &aside, &new)
}

/// SQLite gives a new file its write-ahead log under a journal of the older kind. A maker that was
/// killed in there left one page, and a journal that only a connection which may write can take back.
pub(super) fn is_half_born(path: &Path) -> bool {
    let size = |path: &Path| fs::metadata(path).map_or(0, |it| it.len());
    size(path) <= schema::PAGE_BYTES as u64
        && size(&with_end(path, "-wal")) == 0
        && 0 < size(&with_end(path, "-journal"))
}

/// Lets SQLite take such a page back; what it can't is left to the search for damage.
pub(super) fn finish_birth(dir: &Path) -> Result<(), Failure> {
    let path = dir.join(DATABASE);
    if !is_half_born(&path) {
        return Ok(());
    }
    let rolled_back = Connection::open(&path).and_then(|db| schema::version(&db));
    match rolled_back {
        Ok(_) => Ok(()),
        Err(error) if super::fault::is_damage(&error) => Ok(()),
        Err(error) => Err(failed("open the log", &path, error)),
    }
}

/// Looks at what lies there, without changing it; damage is answered by a new log. Errors: the log
/// is from a newer Baton, or the disk can't be read. What was replayed on the way is given back, so that
/// nobody replays it again.
pub(super) fn set_aside_if_damaged(
    dir: &Path,
    notes: &mut Vec<String>,
) -> Result<Option<Replayed>, Failure> {
    let path = dir.join(DATABASE);
    let head = head::read(dir);
    let size = |path: &Path| fs::metadata(path).map_or(0, |it| it.len());
    let bytes = size(&path) + size(&with_end(&path, "-wal"));
    let was_written = head.as_ref().is_some_and(|it| 0 < it.version);
    if bytes == 0 && !was_written {
        return Ok(None);
    }
    let marker = beside(&path, "suspect");
    let deep = bytes <= DEEP_CHECK_BYTES_MAX || marker.exists();
    let mut replayed = None;
    if let Some(why) = find_damage(&path, head.as_ref(), deep, notes, &mut replayed)? {
        let kept = salvage(&path, head.as_ref())?;
        notes.push(kept.says(&why));
        replayed = None;
    }
    // What was suspected is now either refuted or mended.
    let _ = fs::remove_file(marker);
    Ok(replayed)
}

fn find_damage(
    path: &Path,
    head: Option<&End>,
    deep: bool,
    notes: &mut Vec<String>,
    replayed: &mut Option<Replayed>,
) -> Result<Option<String>, Failure> {
    if !path.exists() {
        return Ok(Some("its file is missing".into()));
    }
    if let Some(why) = wrong_header(path)? {
        return Ok(Some(why));
    }
    let db = reader::open_read_only(path)?;
    let Some(version) = schema::known(&db, path)? else {
        if head.is_none_or(|it| it.version == 0) && schema::is_unborn(&db) {
            return Ok(None);
        }
        return Ok(Some("its first page is not that of a Baton log".into()));
    };
    let checked = if deep && version == schema::STEPS.len() {
        rows::check_all(&db)
    } else if version == schema::STEPS.len() {
        shelf::replay(path).map(|it| replayed.insert(it).tail)
    } else {
        rows::link(&db, 0).and_then(|it| rows::walk(&db, it, u64::MAX, |_| Ok(())))
    };
    let tail = match checked {
        Ok(tail) => tail,
        Err(Broken::Wrong(why)) => return Ok(Some(why)),
        Err(Broken::Sql(error)) if super::fault::is_damage(&error) => {
            return Ok(Some(error.to_string()));
        }
        Err(error @ (Broken::Newer(_) | Broken::Sql(_))) => {
            return Err(broken("open the log", path, error));
        }
    };
    let Some(head) = head else {
        return Ok(None);
    };
    if tail.version < head.version {
        let (end, written) = (tail.version, head.version);
        return Ok(Some(format!("it ends at event {end}, but {written} were written")));
    }
    if !rows::link(&db, head.version).is_ok_and(|it| hex(&it.hash) == head.hash) {
        let version = head.version;
        notes.push(format!(
            "event {version} is not the one that was last written here; was another log put in its place?"
        ));
    }
    Ok(None)
}

/// Header bytes that make SQLite treat a file as read-only or read it with another page layout.
fn wrong_header(path: &Path) -> Result<Option<String>, Failure> {
    let fail = |it: std::io::Error| failed_io("open the log", &it);
    let mut header = Vec::new();
    let mut file = fs::File::open(path).map_err(fail)?;
    std::io::Read::read_to_end(&mut std::io::Read::take(&mut file, 100), &mut header)
        .map_err(fail)?;
    // Empty: all there is lies in the write-ahead log.
    if header.is_empty() {
        return Ok(None);
    }
    let right = header.len() == 100
        && header.starts_with(b"SQLite format 3\0")
        && header[16..18] == [0x10, 0x00]
        && (header[18..20] == [1, 1] || header[18..20] == [2, 2])
        && header[20] == 0;
    Ok((!right).then(|| "its header is not that of a Baton log".into()))
}

/// What could be kept.
struct Kept {
    events: u64,
    /// How many events had been written, where known.
    written: Option<u64>,
    aside: PathBuf,
}

impl Kept {
    fn says(&self, why: &str) -> String {
        let (events, aside) = (self.events, file_name(&self.aside));
        let of = match self.written {
            Some(written) if events < written => format!(" of {written}"),
            Some(_) | None => String::new(),
        };
        format!(
            "the log was damaged ({why}): {events}{of} events were kept, the damaged file is {aside}"
        )
    }
}

fn salvage(path: &Path, head: Option<&End>) -> Result<Kept, Failure> {
    let new = beside(path, "new");
    let _ = fs::remove_file(&new);
    create_private(&new)?;
    let tail = fill(&new, path, head)?;
    sync_file(&new)?;
    let aside = beside(path, &format!("damaged-{}", last_damaged(path) + 1));
    swap(path, &aside, &new)?;
    Ok(Kept { events: tail.version, written: head.map(|it| it.version), aside })
}

/// The main file goes first: a write-ahead log beside a missing file is never replayed into another.
fn swap(path: &Path, aside: &Path, new: &Path) -> Result<(), Failure> {
    let fail = |it: std::io::Error| failed_io("set the damaged log aside", &it);
    for (end, keep) in [("", true), ("-wal", true), ("-shm", false)] {
        let old = with_end(path, end);
        if !old.exists() {
            continue;
        }
        if keep {
            fs::rename(&old, with_end(aside, end)).map_err(fail)?;
        } else {
            fs::remove_file(&old).map_err(fail)?;
        }
    }
    fs::rename(new, path).map_err(fail)?;
    sync_file(path.parent().unwrap_or(path))
}

/// The highest `damaged-<n>` there is; 0: none.
fn last_damaged(path: &Path) -> u32 {
    let prefix = format!("{DATABASE}.damaged-");
    let names = fs::read_dir(path.parent().unwrap_or(path)).into_iter().flatten().flatten();
    names
        .filter_map(|it| {
            let name = it.file_name().to_string_lossy().into_owned();
            let rest = name.strip_prefix(&prefix)?;
            rest.trim_end_matches("-wal").parse().ok()
        })
        .max()
        .unwrap_or(0)
}

fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

/// Puts into `new` what the damaged file holds and can prove: events as far as the chain goes, other
/// rows whose seal is right.
fn fill(new: &Path, damaged: &Path, head: Option<&End>) -> Result<Tail, Failure> {
    let fail = |it| failed("save the damaged log", new, it);
    let set_up = || {
        let db = Connection::open(new)?;
        db.pragma_update(None, "page_size", schema::PAGE_BYTES)?;
        // It is not the log before it is renamed, and it is synced before that.
        db.pragma_update_and_check(None, "journal_mode", "MEMORY", |_| Ok(()))?;
        db.pragma_update(None, "synchronous", "OFF")?;
        Ok(db)
    };
    let mut db = set_up().map_err(fail)?;
    schema::migrate(&mut db, new, schema::STEPS)?;
    let mut pages = Pages::open(damaged).map_err(|it| failed_io("read the damaged log", &it))?;
    let write = db.transaction().map_err(fail)?;
    let tail = copy_rows(&write, &mut pages).map_err(fail)?;
    let whole = head.is_some_and(|it| it.version == tail.version && it.hash == hex(&tail.hash));
    if !whole {
        forget_strangers(&write).map_err(fail)?;
    }
    write.commit().map_err(fail)?;
    db.close().map_err(|(_, it)| fail(it))?;
    Ok(tail)
}

/// The events that were put into the new log so far, and where those are that came out of turn:
/// page and cell, by version. Nearly all of them lie in order.
struct Chain {
    tail: Tail,
    places: BTreeMap<u64, Vec<(u32, u16)>>,
}

impl Chain {
    /// Takes the row if it is the next event.
    fn take(&mut self, write: &Transaction<'_>, row: &Row) -> rusqlite::Result<bool> {
        let version = self.tail.version + 1;
        let next = u64::try_from(row.id) == Ok(version);
        let hash = if next { event_hash(&self.tail.hash, version, &row.values) } else { None };
        let Some(hash) = hash else {
            return Ok(false);
        };
        let id = Value::Integer(row.id);
        let values = [&id].into_iter().chain(&row.values[1..]);
        write
            .prepare_cached("INSERT INTO event VALUES (?, ?, ?, ?, ?, ?)")?
            .execute(rusqlite::params_from_iter(values))?;
        self.tail = Tail { version, hash };
        Ok(true)
    }
}

fn copy_rows(write: &Transaction<'_>, pages: &mut Pages) -> rusqlite::Result<Tail> {
    let start = Tail { version: 0, hash: genesis() };
    let mut chain = Chain { tail: start, places: BTreeMap::new() };
    for page in 1..=pages.count() {
        for cell in 0..pages.cells(page) {
            let Some(row) = pages.row(page, cell) else {
                continue;
            };
            if row.values.len() != 6 || row.values[0] != Value::Null {
                copy_sealed(write, &row)?;
            } else if !chain.take(write, &row)?
                && let Ok(version) = u64::try_from(row.id)
            {
                chain.places.entry(version).or_default().push((page, cell));
            }
        }
    }
    while let Some(cells) = chain.places.remove(&(chain.tail.version + 1)) {
        for (page, cell) in cells {
            if let Some(row) = pages.row(page, cell)
                && chain.take(write, &row)?
            {
                break;
            }
        }
    }
    Ok(chain.tail)
}

/// Takes the row if its seal says of which table it is.
fn copy_sealed(write: &Transaction<'_>, row: &Row) -> rusqlite::Result<()> {
    let table = SEALED.iter().find(|(table, columns)| {
        row.values.len() == columns.len() + 1 && is_sealed(table, &row.values)
    });
    let Some((table, columns)) = table else {
        return Ok(());
    };
    let marks = vec!["?"; columns.len() + 2].join(", ");
    let columns = columns.join(", ");
    let sql = format!("INSERT OR IGNORE INTO {table} (rowid, {columns}, sum) VALUES ({marks})");
    let id = Value::Integer(row.id);
    let values = [&id].into_iter().chain(&row.values);
    write.prepare_cached(&sql)?.execute(rusqlite::params_from_iter(values))?;
    Ok(())
}

fn is_sealed(table: &str, values: &[Value]) -> bool {
    let Some((Value::Blob(sum), columns)) = values.split_last() else {
        return false;
    };
    let columns: Vec<ValueRef<'_>> = columns.iter().map(ValueRef::from).collect();
    sum[..] == seal(table, &columns)
}

/// The hash, if these columns follow `previous`.
fn event_hash(previous: &Hash, version: u64, values: &[Value]) -> Option<Hash> {
    let (Value::Blob(hash), columns) = values.split_last()? else {
        return None;
    };
    let mut columns: Vec<ValueRef<'_>> = columns.iter().map(ValueRef::from).collect();
    *columns.first_mut()? = ValueRef::Integer(i64::try_from(version).ok()?);
    let right = chain(previous, &columns);
    (hash[..] == right).then_some(right)
}

/// Numbers of runs and tasks whose events are lost will be given again: what was kept under them must
/// not be taken for theirs. What they cost stays in the ledger. A journal ends at its first gap.
fn forget_strangers(write: &Transaction<'_>) -> rusqlite::Result<()> {
    let mut runs = BTreeSet::new();
    let mut tasks = BTreeSet::new();
    let mut query = write.prepare(
        "SELECT body FROM event WHERE kind IN ('RunStarted', 'TaskDelegated') ORDER BY version",
    )?;
    let mut found = query.query([])?;
    while let Some(row) = found.next()? {
        let body: String = row.get(0)?;
        if let Ok(event) = serde_json::from_str::<Event>(&body) {
            if let Event::RunStarted { run, .. } = &event {
                runs.insert(run.0);
            }
            if let Event::TaskDelegated { task, .. } = &event {
                tasks.insert(task.0);
            }
        }
    }
    let list = |ids: &BTreeSet<u32>| {
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        ids.join(", ")
    };
    let (runs, tasks) = (list(&runs), list(&tasks));
    write.execute_batch(&format!(
        "DELETE FROM journal WHERE run NOT IN ({runs});
         DELETE FROM buffer WHERE task NOT IN ({tasks});
         DELETE FROM journal WHERE 1 < (SELECT min(n) FROM journal it WHERE it.run = journal.run);
         DELETE FROM journal WHERE (
             SELECT min(it.n) FROM journal it WHERE it.run = journal.run AND NOT EXISTS (
                 SELECT 1 FROM journal next WHERE next.run = it.run AND next.n = it.n + 1)
         ) < n;"
    ))
}
