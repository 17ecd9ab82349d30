//! A terminal of a person's: tmux on a socket of its own, at a desk.

use crate::desk::Desk;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

const SEEN: Duration = Duration::from_secs(120);

pub struct Terminal<'a> {
    tmux: PathBuf,
    desk: &'a Desk,
    socket: String,
    /// The window that is open: its name, and a word for each piece of its output until it ends.
    window: Option<(String, Receiver<()>)>,
    opened: u32,
}

impl Terminal<'_> {
    pub fn new<'a>(tmux: &Path, desk: &'a Desk) -> Terminal<'a> {
        let socket = desk.home().join("tmux.sock").display().to_string();
        Terminal { tmux: tmux.to_owned(), desk, socket, window: None, opened: 0 }
    }

    /// What is on the `PATH` here: the program under test first.
    fn at_desk(&self, command: &mut Command) -> String {
        self.desk.isolate(command);
        let ours = Path::new(env!("CARGO_BIN_EXE_baton")).parent().unwrap();
        let path = std::env::var_os("PATH").unwrap();
        let all = [ours.to_owned()].into_iter().chain(std::env::split_paths(&path));
        command.env("PATH", std::env::join_paths(all).unwrap()).env("LANG", "C.UTF-8");
        let done = command.current_dir(&self.desk.root).output().unwrap();
        let err = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{command:?}: {err}");
        String::from_utf8(done.stdout).unwrap()
    }

    fn run(&self, args: &[&str]) -> String {
        let mut command = Command::new(&self.tmux);
        command.args(["-u", "-f", "/dev/null", "-S", &self.socket]).args(args);
        self.at_desk(&mut command)
    }

    /// Starts a program in a fresh window.
    pub fn open(&mut self, argv: &[&str]) {
        self.opened += 1;
        let name = format!("window-{}", self.opened);
        let pipe = self.desk.home().join(&name).display().to_string();
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let size = ["new-session", "-d", "-x", "80", "-y", "24", "-s", &name, "--"];
        self.run(&[&size, argv].concat());
        self.run(&["pipe-pane", "-t", &name, "-O", &format!("cat > '{pipe}'")]);
        let (sender, output) = channel();
        std::thread::spawn(move || {
            let mut pipe = std::fs::File::open(pipe).unwrap();
            let mut piece = [0; 4096];
            while pipe.read(&mut piece).is_ok_and(|it| 0 < it) && sender.send(()).is_ok() {}
        });
        self.window = Some((name, output));
    }

    fn window(&self) -> &(String, Receiver<()>) {
        self.window.as_ref().unwrap()
    }

    pub fn types(&self, keys: &str) {
        self.run(&["send-keys", "-t", &self.window().0, "-l", keys]);
    }

    pub fn screen(&self) -> String {
        self.run(&["capture-pane", "-t", &self.window().0, "-p"])
    }

    pub fn sees(&self, text: &str) {
        let until = Instant::now() + SEEN;
        while !self.screen().contains(text) {
            let left = until.saturating_duration_since(Instant::now());
            let more = self.window().1.recv_timeout(left);
            assert!(more.is_ok(), "never seen: {text}\n{}", self.screen());
        }
    }

    /// Ends the program as a crash does: it hears nothing of it.
    pub fn kill(&mut self) {
        let (name, output) = self.window.take().unwrap();
        let pid = self.run(&["display-message", "-t", &name, "-p", "#{pane_pid}"]);
        let pid = rustix::process::Pid::from_raw(pid.trim().parse().unwrap()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
        while output.recv_timeout(SEEN).is_ok() {}
    }
}

impl Drop for Terminal<'_> {
    /// Whatever was started here ends here.
    fn drop(&mut self) {
        // A Neovim that outlives the daemon starts another.
        if self.window.is_some() && !std::thread::panicking() {
            self.kill();
        }
        let mut command = Command::new(&self.tmux);
        let _ = command.args(["-S", &self.socket, "kill-server"]).output();
        let mut stop = Command::new(env!("CARGO_BIN_EXE_baton"));
        self.desk.isolate(&mut stop);
        let _ = stop.args(["daemon", "stop"]).current_dir(&self.desk.root).output();
    }
}
