//! A repository of a user's, Baton's state beside it, and the digests that show what changed.

use baton::git::{Buffer, Built, Git, Moved, Planned, Slot, find};
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::rc::Rc;
use team::{Base, Candidate, CommitId, PlannedPath, Role, RunId, StartFrom, TaskId};
use tempfile::TempDir;

pub const TASK: TaskId = TaskId(17);

/// Lines 1 to 12; agents fix line 2.
pub const TEXT: &str =
    "one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\nten\neleven\ntwelve\n";

pub struct World {
    dir: Rc<TempDir>,
    pub root: PathBuf,
    pub state: PathBuf,
}

/// What is on disk under a root, `.git` included: path -> mode and bytes.
pub type Digest = BTreeMap<String, (u32, Vec<u8>)>;

impl World {
    /// A repository with `a.txt`, `b.txt` and `src/deep/c.txt` committed on `main`.
    pub fn new() -> World {
        let world = World::empty();
        world.write("a.txt", TEXT);
        world.write("b.txt", TEXT);
        world.write("src/deep/c.txt", TEXT);
        world.git(&["add", "-A"]);
        world.git(&["commit", "-q", "-m", "start"]);
        world
    }

    pub fn empty() -> World {
        // Hundreds of repositories: in memory where there is such a place.
        let memory = Path::new("/dev/shm");
        let mut builder = tempfile::Builder::new();
        builder.prefix("baton-git-");
        let dir = builder.tempdir_in(memory).or_else(|_| builder.tempdir()).unwrap();
        let base = dir.path().canonicalize().unwrap();
        let world = World { dir: Rc::new(dir), root: base.join("work"), state: base.join("state") };
        std::fs::create_dir_all(&world.root).unwrap();
        std::fs::create_dir_all(base.join("home")).unwrap();
        world.git(&["init", "-q", "-b", "main", "."]);
        let path = world.root.join(".git/config");
        let mut config = std::fs::read_to_string(&path).unwrap();
        config.push_str("[user]\n\tname = Uma User\n\temail = uma@example.com\n");
        config.push_str("[core]\n\texcludesfile =\n");
        std::fs::write(&path, config).unwrap();
        world
    }

    pub fn base_dir(&self) -> &Path {
        self.dir.path()
    }

    /// A place beside the repository, where nothing is yet.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.dir.path().canonicalize().unwrap().join(name)
    }

    /// The same world seen from another root: a linked worktree with the same state, or another
    /// repository with a state and an identity of its own.
    pub fn moved_to(&self, root: &Path) -> World {
        let is_linked = root.join(".git").is_file();
        let name = format!("state-{}", root.file_name().unwrap().to_string_lossy());
        let state = if is_linked { self.state.clone() } else { self.beside(&name) };
        let world = World { dir: Rc::clone(&self.dir), root: root.to_path_buf(), state };
        if !is_linked {
            world.git(&["config", "user.name", "Uma User"]);
            world.git(&["config", "user.email", "uma@example.com"]);
        }
        world
    }

    /// Where refs, objects and the configuration are.
    pub fn git_dir(&self) -> PathBuf {
        self.git(&["rev-parse", "--path-format=absolute", "--git-common-dir"]).into()
    }

    /// A git command that reads this.
    pub fn feed(&self, args: &[&str], input: &[u8]) {
        let mut command = self.command(&self.root, args);
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), input).unwrap();
        assert!(child.wait().unwrap().success(), "git {args:?}");
    }

    /// A git command in a folder, without anybody's own configuration.
    pub fn command(&self, dir: &Path, args: &[&str]) -> Command {
        let mut command = Command::new("git");
        let home = self.dir.path().join("home");
        command.args(args).current_dir(dir).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap());
        command.env("HOME", &home).env("GIT_CONFIG_GLOBAL", home.join("gitconfig"));
        command.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_EDITOR", "true");
        command
    }

    pub fn git_in(&self, dir: &Path, args: &[&str]) -> String {
        let output = self.command(dir, args).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {args:?}: {error}");
        String::from_utf8_lossy(&output.stdout).trim_end().to_string()
    }

    pub fn git(&self, args: &[&str]) -> String {
        self.git_in(&self.root, args)
    }

    /// A git command that reads the user's objects through Baton's store.
    pub fn store(&self, args: &[&str]) -> String {
        self.git_in(&self.state.join("store.git"), args)
    }

    pub fn write(&self, path: &str, text: &str) {
        let path = self.root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.root.join(path)).unwrap()
    }

    pub fn open(&self) -> Git {
        Git::open(&find(&self.root).unwrap(), &self.state).unwrap()
    }

    pub fn commit_all(&self, message: &str) -> String {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    pub fn status(&self) -> String {
        self.git(&["status", "--porcelain"])
    }

    /// Everything of the user's but the refs that keep a base.
    pub fn digest(&self) -> Digest {
        let mut digest = digest(&self.root);
        digest.retain(|path, _| !path.starts_with(".git/refs/baton"));
        digest
    }
}

pub fn digest(root: &Path) -> Digest {
    let mut found = Digest::new();
    let mut open = vec![root.to_path_buf()];
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(&dir).unwrap() {
            let path = entry.unwrap().path();
            let meta = path.symlink_metadata().unwrap();
            let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
            if meta.is_dir() {
                open.push(path);
            } else if meta.is_symlink() {
                let target = std::fs::read_link(&path).unwrap();
                found.insert(name, (0, target.to_string_lossy().into_owned().into_bytes()));
            } else {
                let bytes = std::fs::read(&path).unwrap();
                found.insert(name, (meta.permissions().mode(), bytes));
            }
        }
    }
    found
}

/// Asserts that two digests are equal, naming the paths that are not.
pub fn same(before: &Digest, after: &Digest) {
    let differs = |it: &&String| before.get(*it) != after.get(*it);
    let paths: Vec<_> = before.keys().chain(after.keys()).filter(differs).collect();
    assert!(paths.is_empty(), "changed: {paths:?}");
}

pub fn buffer(path: &str, text: &str) -> Buffer {
    Buffer { path: path.into(), text: text.into() }
}

/// A task from the snapshot to the engineer's head: `fix` changes files in the slot.
pub struct Told {
    pub git: Git,
    pub base: Base,
    pub slot: Slot,
    pub head: CommitId,
}

impl World {
    pub fn delegate(&self, buffers: &[Buffer], fix: impl FnOnce(&Path)) -> Told {
        let git = self.open();
        let base = git.snapshot(TASK, "Fix it!", buffers, StartFrom::Seen, false).unwrap();
        let slot = git.slot("engineer-1", &base.seen).unwrap();
        fix(&slot.dir);
        let head = git.commit(&slot, RunId(4), Role::Engineer, "fix").unwrap();
        Told { git, base, slot, head }
    }

    /// Agents turn line 2 of `a.txt` into `TWO`.
    pub fn delegate_fix(&self, buffers: &[Buffer]) -> Told {
        self.delegate(buffers, |slot| fix_line_two(&slot.join("a.txt")))
    }
}

pub fn fix_line_two(path: &Path) {
    let text = std::fs::read_to_string(path).unwrap();
    std::fs::write(path, text.replace("two\n", "TWO\n")).unwrap();
}

impl Told {
    pub fn built(&self) -> Built {
        let message = "Fix line two\n\nBaton-Task: T17\n";
        self.git.candidate(TASK, &self.base, &self.head, message, &[]).unwrap()
    }

    pub fn candidate(&self) -> Candidate {
        match self.built() {
            Built::Candidate(candidate) => candidate,
            Built::Conflict { paths, .. } => panic!("conflict in {paths:?}"),
        }
    }

    pub fn plan(&self, candidate: &Candidate, ticked: &[&str]) -> Vec<PlannedPath> {
        let ticked: Vec<String> = ticked.iter().map(ToString::to_string).collect();
        match self.git.plan_landing(&self.base, candidate, &ticked, &[]).unwrap() {
            Planned::Plan(plan) => plan,
            other => panic!("{other:?}"),
        }
    }

    pub fn refused_plan(&self, candidate: &Candidate, unsaved: &[Buffer]) -> String {
        match self.git.plan_landing(&self.base, candidate, &[], unsaved).unwrap() {
            Planned::Refused(why) => why,
            other => panic!("{other:?}"),
        }
    }

    /// Builds, plans and lands.
    pub fn land(&self, ticked: &[&str]) -> (Candidate, Vec<PlannedPath>) {
        let candidate = self.candidate();
        let plan = self.plan(&candidate, ticked);
        let moved = self.git.land(TASK, &self.base, &candidate, &plan).unwrap();
        assert_eq!(moved, Moved::Done);
        (candidate, plan)
    }
}
