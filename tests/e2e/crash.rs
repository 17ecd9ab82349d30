//! Power off at every boundary. The binary of the tests counts the points before and after every
//! append and every outside effect; each is a place to die with SIGKILL. Afterwards the work goes
//! on, and the end is the same: same tree, same kinds of events, and not a byte of the person's
//! changed but by the landing.

use crate::story::{HONEST, Story};
use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const BRIEF: &str = "two is three";
const RANDOM_KILLS: u32 = 30;
const SIGKILL: i32 = 9;
/// More restarts than this for one kill: it does not go on.
const RESUMES_MAX: u32 = 3;

/// What must be equal at the end.
#[derive(Debug, PartialEq)]
struct End {
    /// The branch's tree.
    tree: String,
    commits: String,
    /// `git status`, the index with its blobs, the stash, the refs but the landed branch.
    status: String,
    index: String,
    refs: String,
    untracked: String,
    dirty: String,
    /// How often each kind of event was logged, for those that happen once a task.
    kinds: BTreeMap<String, usize>,
}

/// A repository whose person is in the middle of something: a staged file, a changed one, a new one.
fn world() -> Story {
    let story = Story::new(HONEST);
    story.write("staged.txt", "staged\n");
    story.git(&["add", "staged.txt"]);
    story.write("notes.txt", "first, changed\nsecond\n");
    story.write("untracked.txt", "mine\n");
    story
}

fn end(story: &Story) -> End {
    let mut kinds = BTreeMap::new();
    for it in story.kinds() {
        *kinds.entry(it).or_insert(0) += 1;
    }
    // A model call may be paid twice, once a crash. A command that a crash cut off is reported as
    // interrupted and not run again, so its receipt may be missing.
    kinds.retain(|it, _| it != "RunSpent" && it != "BudgetWarned" && it != "ReceiptRecorded");
    // When a sweep lets go of a base depends on how often the hub was opened.
    let refs = story.git(&["for-each-ref", "--format=%(refname)", "--exclude=refs/baton/keep"]);
    End {
        tree: story.git(&["rev-parse", "main^{tree}"]),
        commits: story.git(&["log", "--format=%s %an", "main"]),
        status: story.git(&["status", "--porcelain=v1"]),
        index: story.git(&["ls-files", "--stage"]),
        refs,
        untracked: story.read("untracked.txt"),
        dirty: story.read("notes.txt"),
        kinds,
    }
}

/// Runs the task with these extra variables; whether it was killed.
fn go(story: &Story, env: &[(&str, String)], args: &[&str]) -> bool {
    let output = story.baton(args).envs(env.iter().cloned()).output().unwrap();
    if output.status.signal() == Some(SIGKILL) {
        return true;
    }
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{args:?} {env:?}: {text}");
    false
}

fn resume(story: &Story) {
    for _ in 0..RESUMES_MAX {
        let is_there = std::fs::exists(&story.state).unwrap() && has_task(story);
        let args: &[&str] =
            if is_there { &["resume", "--plain"] } else { &["run", "--yes", "--plain", BRIEF] };
        if !go(story, &[], args) && has_landed(story) {
            return;
        }
    }
    panic!("it did not go on: {:?}", story.kinds());
}

fn has_task(story: &Story) -> bool {
    let dirs = std::fs::read_dir(&story.state).unwrap();
    // Also a folder without a log, or with one that is not born yet.
    let is_log = |dir: &std::path::Path| baton::store::Reader::open(dir).is_ok();
    let any_log = dirs.flatten().any(|it| is_log(&it.path()));
    any_log && story.kinds().iter().any(|it| it == "TaskDelegated")
}

fn has_landed(story: &Story) -> bool {
    story.kinds().iter().any(|it| it == "TaskLanded")
}

/// Does this for every number, on both cores.
fn on_all(numbers: impl Iterator<Item = u64> + Send, work: impl Fn(u64) + Sync) {
    let numbers = Mutex::new(numbers);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let next = numbers.lock().unwrap().next();
                    let Some(n) = next else { return };
                    work(n);
                }
            });
        }
    });
}

/// Past the capture of the test's output: what was reached is wanted from a green run too.
fn tell(text: &str) {
    let _ = writeln!(std::io::stderr(), "crash: {text}");
}

#[test]
fn killed_at_every_boundary_it_ends_the_same() {
    let story = world();
    let log = story.home.join("points");
    let env = [("BATON_FAIL_LOG", log.display().to_string())];
    assert!(!go(&story, &env, &["run", "--yes", "--plain", BRIEF]));
    let whole = end(&story);
    let points = std::fs::read_to_string(&log).unwrap();
    let points: Vec<&str> = points.lines().collect();
    let killed = AtomicU64::new(0);
    on_all(1..=points.len() as u64, |n| {
        let story = world();
        let env = [("BATON_FAIL_AT", n.to_string())];
        if go(&story, &env, &["run", "--yes", "--plain", BRIEF]) {
            killed.fetch_add(1, Ordering::SeqCst);
            resume(&story);
        }
        let name = points.get(n as usize - 1).unwrap_or(&"beyond");
        assert_eq!(end(&story), whole, "killed at boundary {n}, {name}");
    });
    let killed = killed.load(Ordering::SeqCst);
    tell(&format!("{} boundaries, {killed} kills, the same end at each", points.len()));
    // The order of concurrent points may shift by a few between runs; nearly all must be reached.
    assert!(points.len() as u64 * 9 / 10 <= killed, "{killed} of {} were reached", points.len());
}

#[test]
fn killed_at_random_times_it_ends_the_same() {
    let story = world();
    let begun = std::time::Instant::now();
    assert!(!go(&story, &[], &["run", "--yes", "--plain", BRIEF]));
    let (whole, took) = (end(&story), begun.elapsed());
    let seed = std::process::id();
    tell(&format!("{RANDOM_KILLS} random kills, seed {seed}"));
    on_all(1..=u64::from(RANDOM_KILLS), |n| {
        let story = world();
        let mut command = story.baton(&["run", "--yes", "--plain", BRIEF]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        // A fraction of the whole run, from the seed.
        let mixed = (u64::from(seed) + n).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
        let at = took.mul_f64(mixed as f64 / (1u64 << 24) as f64);
        if runs_after(&mut child, at) {
            child.kill().unwrap();
        }
        child.wait().unwrap();
        if !(std::fs::exists(&story.state).unwrap() && has_task(&story) && has_landed(&story)) {
            resume(&story);
        }
        assert_eq!(end(&story), whole, "seed {seed}, kill {n} after {at:?}");
    });
}

/// Lets it run for so long, or to its end; whether it still runs.
fn runs_after(child: &mut std::process::Child, at: Duration) -> bool {
    // The end of its standard output is the end of the process: nobody polls.
    let mut out = child.stdout.take().unwrap();
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut out, &mut std::io::sink());
        let _ = tell.send(());
    });
    told.recv_timeout(at).is_err()
}
