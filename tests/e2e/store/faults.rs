//! Processes that are killed and disks that are full. The process under test is this test binary
//! again, told by its environment what to do.

use super::{Dice, event, events, open, replayed};
use baton::store::{Reader, Store};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use team::{Code, RunId};
use tempfile::TempDir;

const CHILD_DIR: &str = "BATON_TEST_STORE_DIR";
const KILLS: u32 = 30;

fn child(dir: &Path, role: &str, shell: Option<&str>) -> Child {
    let own = std::env::current_exe().unwrap();
    let command = match shell {
        Some(line) => {
            let mut command = Command::new("sh");
            command.args(["-c", &format!("{line}; exec \"$@\""), "sh"]).arg(own);
            command
        }
        None => Command::new(own),
    };
    child_under(command, dir, &format!("store::faults::{role}"))
}

/// This test binary, after the words of `command`, in the given role.
pub(super) fn child_under(mut command: Command, dir: &Path, role: &str) -> Child {
    command
        .args(["--exact", role, "--nocapture"])
        .env(CHILD_DIR, dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// What stands after the child's word `word ` on its line.
pub(super) fn after<'a>(line: &'a str, word: &str) -> Option<&'a str> {
    line.split_once(word).map(|it| it.1.trim())
}

/// The folder that a parent asks this process to write into.
pub(super) fn asked() -> Option<PathBuf> {
    std::env::var_os(CHILD_DIR).map(PathBuf::from)
}

/// Not a story of its own: appends for ever and acknowledges each append, where a parent asks it to.
#[test]
fn appends_for_ever() {
    let Some(dir) = asked() else {
        return;
    };
    let mut store = Store::open(&dir).unwrap().store;
    let mut out = std::io::stdout();
    loop {
        let version = store.version();
        let n = u32::try_from(version).unwrap();
        let few: Vec<_> = (n..n + 1 + n % 3).map(event).collect();
        let version = store.append(version, &few, 0).unwrap();
        writeln!(out, "acknowledged {version}").unwrap();
        out.flush().unwrap();
    }
}

#[test]
fn no_acknowledged_event_is_lost_to_a_kill() {
    let dir = TempDir::new().unwrap();
    let seed = 7;
    eprintln!("seed {seed}");
    let mut dice = Dice(seed);
    let mut acknowledged = 0_u64;
    for _ in 0..KILLS {
        let mut child = child(dir.path(), "appends_for_ever", None);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let acks = 1 + dice.roll(40);
        let mut seen = 0;
        while seen < acks {
            let line = lines.next().expect("the child goes on").unwrap();
            if let Some(version) = after(&line, "acknowledged ") {
                acknowledged = version.parse().unwrap();
                seen += 1;
            }
        }
        // At any point of what it is doing now, not only right after an acknowledgement.
        for _ in 0..dice.roll(200_000) {
            std::hint::spin_loop();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        for line in lines.map_while(Result::ok) {
            if let Some(version) = after(&line, "acknowledged ") {
                acknowledged = version.parse().unwrap();
            }
        }
        let opened = open(dir.path());
        let version = opened.store.version();
        assert!(acknowledged <= version, "{acknowledged} acknowledged, {version} there");
        assert_eq!(opened.notes, Vec::<String>::new());
        let all = events(u32::try_from(version).unwrap());
        assert_eq!(opened.team, replayed(&all));
    }
    eprintln!("{KILLS} kills, {acknowledged} events acknowledged, 0 lost");
}

/// Not a story of its own: fills the disk, then goes on when there is room again.
#[test]
fn fills_the_disk() {
    let Some(dir) = asked() else {
        return;
    };
    let mut store = Store::open(&dir).unwrap().store;
    let mut out = std::io::stdout();
    let failure = loop {
        let version = store.version();
        let n = u32::try_from(version).unwrap();
        match store.append(version, &[event(n)], 0) {
            Ok(version) => writeln!(out, "acknowledged {version}").unwrap(),
            Err(failure) => break failure,
        }
    };
    writeln!(out, "failed {:?} {failure}", failure.code).unwrap();
    let journal = store.journal(RunId(1), &super::step(1, &"x".repeat(1 << 20)));
    writeln!(out, "journal {:?}", journal.unwrap_err().code).unwrap();
    // Room again: the same process goes on where it stopped.
    let (_, hard) = rlimit::Resource::FSIZE.get().unwrap();
    rlimit::Resource::FSIZE.set(hard, hard).unwrap();
    let version = store.version();
    let n = u32::try_from(version).unwrap();
    let version = store.append(version, &[event(n)], 0).unwrap();
    writeln!(out, "acknowledged {version}").unwrap();
    writeln!(out, "done {version}").unwrap();
}

#[test]
fn a_full_disk_is_named_and_nothing_is_lost_when_there_is_room_again() {
    for blocks in [200, 400, 1600] {
        let dir = TempDir::new().unwrap();
        drop(open(dir.path()));
        // The limit on a file's size stands for a full disk; without the trap the process would die.
        let limit = format!("trap '' XFSZ; ulimit -S -f {blocks}");
        let child = child(dir.path(), "fills_the_disk", Some(&limit));
        let output = child.wait_with_output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let said = |word: &str| text.lines().filter_map(|it| after(it, word)).next_back();
        let failed = said("failed ").unwrap_or_else(|| panic!("{text}"));
        assert!(failed.starts_with("DiskFull"), "{failed}");
        assert!(failed.contains("the disk is full") && failed.contains("make space"), "{failed}");
        assert_eq!(said("journal "), Some("DiskFull"), "{text}");
        let done: u64 = said("done ").unwrap_or_else(|| panic!("{text}")).parse().unwrap();
        let opened = open(dir.path());
        assert_eq!(opened.store.version(), done);
        assert_eq!(opened.notes, Vec::<String>::new());
        let all = events(u32::try_from(done).unwrap());
        assert_eq!(opened.team, replayed(&all));
    }
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, b"").unwrap();
    let failure = Store::open(&file.join("state")).map(|_| ()).unwrap_err();
    assert_eq!(failure.code, Code::Store);
    assert!(failure.text.contains("make the state folder"), "{failure}");
    assert!(Reader::open(&file).is_err());
}
