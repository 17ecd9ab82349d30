//! Repositories of a given size: files of source-like text in folders, two commits of which ten
//! files differ, all objects in one pack, and no file as young as the index.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};
use team::CommitId;

/// Files that differ between the two commits.
pub const DIFFER: usize = 10;
/// A language server and a compiler; `S` is a small tool.
pub const S: usize = 240;
pub const M: usize = 2_400;
pub const XL: usize = 57_000;

pub struct Forest {
    pub root: PathBuf,
    /// Relative paths of all files.
    pub files: Vec<String>,
    /// Checked out.
    pub first: CommitId,
    pub second: CommitId,
}

impl Forest {
    /// Makes it in a new folder of that name.
    pub fn grow(parent: &Path, name: &str, size: usize) -> Forest {
        let root = parent.join(name);
        fs::create_dir_all(&root).unwrap();
        let files: Vec<String> = (0..size)
            .map(|it| format!("part{}/src/area{}/file{it}.rs", it / 400, it / 20 % 20))
            .collect();
        git(&root, &["init", "-q", "-b", "main", "."]);
        git(&root, &["config", "user.name", "Uma User"]);
        git(&root, &["config", "user.email", "uma@example.com"]);
        import(&root, &files);
        git(&root, &["reset", "-q", "--hard"]);
        let id = |name: &str| CommitId(git(&root, &["rev-parse", name]));
        let (first, second) = (id("main"), id("second"));
        let forest = Forest { root, files, first, second };
        forest.age();
        forest
    }

    /// Makes all files older than the index, as in a repository that somebody has worked in.
    fn age(&self) {
        let then = SystemTime::now() - Duration::from_secs(60);
        for file in &self.files {
            let file = fs::File::options().write(true).open(self.root.join(file)).unwrap();
            file.set_modified(then).unwrap();
        }
        git(&self.root, &["update-index", "-q", "--refresh"]);
    }

    /// Ten changed files, two deleted ones, three new ones.
    pub fn soil(&self, round: usize) {
        for file in self.files.iter().step_by(self.files.len() / 10).take(10) {
            fs::write(self.root.join(file), format!("// Round {round}.\nfn soiled() {{}}\n"))
                .unwrap();
        }
        for file in &self.files[1..3] {
            let _ = fs::remove_file(self.root.join(file));
        }
        for n in 0..3 {
            fs::write(self.root.join(format!("new{n}.rs")), format!("// New in {round}.\n"))
                .unwrap();
        }
    }

    /// The floor of anything that looks at every file.
    pub fn look_at_all(&self) {
        for file in &self.files {
            let _ = self.root.join(file).symlink_metadata();
        }
    }
}

fn import(root: &Path, files: &[String]) {
    let mut importer = command(root, &["-c", "core.compression=1", "fast-import", "--quiet"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = std::io::BufWriter::new(importer.stdin.take().unwrap());
    let mut commit = |name: &str, from: &str, files: &mut dyn Iterator<Item = (usize, &String)>| {
        let who = "Uma User <uma@example.com> 1700000000 +0000";
        let len = name.len();
        write!(out, "commit refs/heads/{name}\ncommitter {who}\ndata {len}\n{name}\n{from}")
            .unwrap();
        for (n, file) in files {
            let text = text(n, name);
            write!(out, "M 100644 inline {file}\ndata {}\n{text}\n", text.len()).unwrap();
        }
    };
    commit("main", "", &mut files.iter().enumerate());
    let some = files.iter().enumerate().step_by(files.len() / DIFFER).take(DIFFER);
    commit("second", "from refs/heads/main\n", &mut { some });
    out.flush().unwrap();
    drop(out);
    assert!(importer.wait().unwrap().success(), "git fast-import failed");
}

/// Some 1 to 5 kB that differ from file to file.
fn text(n: usize, name: &str) -> String {
    let mut text = format!("//! File {n} of {name}.\n");
    for line in 0..20 + n * 7 % 80 {
        let number = n.wrapping_mul(2_654_435_761).wrapping_add(line * 40_503) % 100_000;
        text += &format!("pub fn item_{line}(it: u64) -> u64 {{ it * {number} }}\n");
    }
    text
}

/// git without anybody's configuration.
pub fn command(root: &Path, args: &[&str]) -> Command {
    let mut command = Command::new("git");
    command.args(args).current_dir(root).env_clear().stdin(Stdio::null());
    command.env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", root);
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    command
}

/// Standard output of a git command that must succeed.
pub fn git(root: &Path, args: &[&str]) -> String {
    output(command(root, args))
}

pub fn output(mut command: Command) -> String {
    let output = command.output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {error}");
    String::from_utf8(output.stdout).unwrap().trim_end().to_string()
}
