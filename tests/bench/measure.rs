//! Taking times, and printing them beside their floors and goals.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;
use tempfile::TempDir;

/// Everything a benchmark needs: where to write, how much to do, and whom to tell.
pub struct Bench {
    pub quick: bool,
    memory: TempDir,
    disk: TempDir,
    goals: Vec<(String, bool)>,
    started: Instant,
}

/// What was built: see `Cargo.toml`.
fn profile() -> &'static str {
    match cfg!(debug_assertions) {
        true => "bench, Rust at opt-level 1 with debug assertions, C at opt-level 3",
        false => "release",
    }
}

impl Bench {
    pub fn new(quick: bool) -> Bench {
        let folder = |parent: &Path| {
            tempfile::Builder::new().prefix("baton-bench-").tempdir_in(parent).unwrap()
        };
        let in_memory = Path::new("/dev/shm");
        let temporary = std::env::temp_dir();
        let memory = folder(if in_memory.is_dir() { in_memory } else { &temporary });
        let bench = Bench {
            quick,
            memory,
            disk: folder(&temporary),
            goals: vec![],
            started: Instant::now(),
        };
        println!("profile: {}", profile());
        println!("cores: {}; load: {}", cores(), load());
        bench
    }

    /// A folder for trees and logs: in memory where the system has such a place.
    pub fn memory(&self) -> PathBuf {
        self.memory.path().canonicalize().unwrap()
    }

    /// A folder on a disk, where syncing costs what it costs.
    pub fn disk(&self) -> PathBuf {
        self.disk.path().canonicalize().unwrap()
    }

    pub fn begin(&self, name: &str) {
        println!("\n{name} (load {})", load());
    }

    /// One figure in milliseconds.
    pub fn say(&self, what: &str, ms: f64, note: &str) {
        let digits = if ms < 1.0 { 3 } else { 1 };
        println!("  {what:<48} {ms:>10.digits$} ms  {note}");
    }

    /// One figure of another unit.
    pub fn say_plain(&self, what: &str, figure: &str) {
        println!("  {what:<48} {figure:>10}");
    }

    pub fn goal(&mut self, what: &str, is_met: bool) {
        println!("  goal: {what}: {}", if is_met { "met" } else { "MISSED" });
        self.goals.push((what.to_string(), is_met));
    }

    pub fn finish(self) {
        println!("\ngoals");
        for (what, is_met) in &self.goals {
            println!("  {} {what}", if *is_met { "met   " } else { "MISSED" });
        }
        println!(
            "{:.0} s in all, load {} at the end",
            self.started.elapsed().as_secs_f64(),
            load()
        );
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, |it| it.get())
}

/// How many processes wanted to run in the last minute: other work makes all times longer.
pub fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or("unknown").to_string()
}

/// Milliseconds that this takes.
pub fn ms<T>(work: impl FnOnce() -> T) -> f64 {
    timed(work).0
}

/// Milliseconds that this takes, and its result.
pub fn timed<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let start = Instant::now();
    let result = work();
    (start.elapsed().as_secs_f64() * 1e3, result)
}

pub fn median(mut times: Vec<f64>) -> f64 {
    assert!(!times.is_empty(), "nothing was measured");
    times.sort_by(f64::total_cmp);
    let middle = times.len() / 2;
    if times.len() % 2 == 1 {
        times[middle]
    } else {
        f64::midpoint(times[middle - 1], times[middle])
    }
}

/// The median of so many rounds.
pub fn median_of(rounds: usize, mut work: impl FnMut(usize)) -> f64 {
    median((0..rounds).map(|it| ms(|| work(it))).collect())
}

/// One small write made durable: what no durable step can be faster than.
pub fn sync_floor(folder: &Path) -> f64 {
    use std::io::Write;
    let path = folder.join("floor");
    let mut file = fs::File::create(&path).unwrap();
    let floor = median_of(20, |_| {
        file.write_all(&[7; 4096]).unwrap();
        file.sync_data().unwrap();
    });
    fs::remove_file(path).unwrap();
    floor
}

/// `1/20.0` for 0.05, `3.1x` for 3.1.
pub fn ratio(it: f64) -> String {
    if it < 1.0 { format!("1/{:.1}", 1.0 / it) } else { format!("{it:.1}x") }
}
