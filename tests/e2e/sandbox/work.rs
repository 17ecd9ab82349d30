//! What must work in the sandbox, or nobody would keep it on.

use super::lab::{Lab, again_as_ordinary_user, need, on_path, run, text};
use baton::config::WantedLevel;
use baton::sandbox::{Confined, Environment, Sandbox};
use std::path::Path;
use std::process::Command;
use team::Exit;

/// A thing that must work: the tool it needs, and a script that prints `WORKS` at its end.
const ALL: [(&str, &str, &str); 29] = [
    ("a shell, pipes and files", "sh", "printf 'b\\na\\n' | sort > out && mv out file && rm file"),
    (
        "links, rights and a script",
        "sh",
        "printf '#!/bin/sh\\nexit 0\\n' > s && chmod +x s && ln -s s t && ln s u && ./t",
    ),
    ("temporary files", "sh", "f=$(mktemp) && echo x > $f && d=$(mktemp -d) && test -d $d"),
    (
        "an empty writable home",
        "sh",
        "test -z \"$(ls $HOME)\" && echo x > ~/file && mkdir ~/.config",
    ),
    (
        "the build cache",
        "sh",
        "mkdir ../cache/debug && cp /bin/true ../cache/debug/it && ../cache/debug/it",
    ),
    ("devices", "sh", "echo x > /dev/null && head -c 4 /dev/urandom > r && echo x > /dev/stderr"),
    ("who am I", "sh", "id && hostname && date"),
    ("a list of the root", "sh", "ls -l / > list"),
    ("a file in /tmp by that name", "sh", "echo x > /tmp/it && test -s /tmp/it"),
    ("many processes", "sh", "for i in $(seq 200); do (sleep 0 & wait) & done; wait"),
    (
        "a loopback server",
        "python3",
        "import socket, threading\ns = socket.create_server(('127.0.0.1', 0))\n\
         threading.Thread(target=lambda: s.accept()[0].send(b'x')).start()\n\
         assert socket.create_connection(s.getsockname()).recv(1) == b'x'\n\
         socket.getaddrinfo('localhost', 80)",
    ),
    (
        "a loopback server by UDP and version 6",
        "python3",
        "import socket\na = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM); a.bind(('::1', 0))\n\
         b = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM); b.sendto(b'x', a.getsockname()[:2])\n\
         assert a.recv(1) == b'x'",
    ),
    (
        "a local socket in the slot and in TMPDIR",
        "python3",
        "import os, socket\nfor path in ['s', os.environ['TMPDIR'] + '/s', '\\0name']:\n \
         s = socket.socket(socket.AF_UNIX); s.bind(path); s.listen()\n \
         c = socket.socket(socket.AF_UNIX); c.connect(path)\na, b = socket.socketpair()",
    ),
    (
        "temporary files of Python",
        "python3",
        "import tempfile, os\nwith tempfile.TemporaryDirectory() as d: open(d + '/x', 'w').write('x')\n\
         with tempfile.NamedTemporaryFile() as f: f.write(b'x')",
    ),
    (
        "workers and shared memory",
        "python3",
        "import multiprocessing as m\nfrom multiprocessing import shared_memory\n\
         with m.Pool(4) as p: assert p.map(abs, [-1, 2]) == [1, 2]\n\
         s = shared_memory.SharedMemory(create=True, size=10); s.close(); s.unlink(); m.Lock()",
    ),
    (
        "a terminal of its own",
        "python3",
        "import os, pty, termios\nmain, other = pty.openpty(); termios.tcgetattr(other)\n\
         os.write(other, b'x'); assert os.read(main, 1) == b'x'",
    ),
    (
        "locks, memory maps, a database, threads",
        "python3",
        "import fcntl, mmap, sqlite3, threading\nf = open('f', 'w+b'); f.write(b'x' * 4096); f.flush()\n\
         fcntl.flock(f, fcntl.LOCK_EX); m = mmap.mmap(f.fileno(), 0); m[0] = 65\n\
         sqlite3.connect('d.db').execute('create table t(x)')\n\
         all = [threading.Thread(target=lambda: None) for _ in range(50)]\n\
         [t.start() for t in all]; [t.join() for t in all]",
    ),
    (
        "signals to its own children",
        "python3",
        "import subprocess\np = subprocess.Popen(['sleep', '100']); p.terminate(); assert p.wait() == -15",
    ),
    ("JavaScript", "node", "console.log(1 + 1)"),
    (
        "a server and a worker in JavaScript",
        "node",
        "const http = require('http'), { Worker } = require('worker_threads'); const s = http.createServer(\
         (q, r) => r.end('x')).listen(0, '127.0.0.1', () => http.get({ port: s.address().port }, r => { \
         r.resume(); r.on('end', () => { s.close(); new Worker('1', { eval: true }) }) }))",
    ),
    ("a C compiler", "cc", "echo 'int main(void) { return 0; }' > a.c && cc a.c -o a && ./a"),
    (
        "a pipeline over devices and shared memory",
        "sh",
        "seq 1000 | tee /dev/shm/it | awk '{n+=$1} END {print n}' > sum 2> /dev/null && \
         cmp /dev/shm/it /dev/shm/it && test $(cat sum) = 500500",
    ),
    (
        "a pipeline over devices",
        "sh",
        "seq 1000 | sort -r | awk '{n+=$1} END {print n}' 2> /dev/null > sum && \
         test $(cat sum) = 500500 && mkfifo p && (echo x > p &) && read x < p",
    ),
    (
        "tests in JavaScript",
        "node --test",
        "mkdir test && echo \"const t = require('node:test'), fs = require('fs'), os = require('os'); \
         t('a', () => { const d = fs.mkdtempSync(os.tmpdir() + '/x'); fs.writeFileSync(d + '/f', 'x') })\" \
         > test/a.test.js && node --test test/",
    ),
    (
        "a database file",
        "sqlite3",
        "sqlite3 d.db 'pragma journal_mode = wal; create table t(x); insert into t values (7);' && \
         test \"$(sqlite3 d.db 'select x from t')\" = 7",
    ),
    (
        "a Java program",
        "javac",
        "printf 'class A { public static void main(String[] a) throws Exception { \
         Thread t = new Thread(() -> System.out.println(1)); t.start(); t.join(); \
          } }' > A.java && javac A.java && java -cp . A",
    ),
    (
        "archives, patches and searches",
        "sh",
        "mkdir d && echo a > d/f && tar czf d.tgz d && rm -r d && tar xzf d.tgz && cp -a d e && \
         echo b > e/f; diff -u d/f e/f > p; patch -p0 < p && grep -rn b d && find . -name f | xargs wc -l",
    ),
    (
        "a parallel make with a compiler",
        "cc",
        "printf 'int f%d(void) { return 0; }\\n' 1 2 3 > x.h; for i in 1 2 3 4; do \
         echo \"int g$i(void) { return $i; }\" > g$i.c; done; \
         printf 'it: g1.o g2.o g3.o g4.o\n\tar rcs $@ $^\n' > Makefile && make -j4 it && test -e it",
    ),
    ("make", "make", "printf 'all:\\n\\ttouch made\\n' > Makefile && make -j4 && test -e made"),
];

fn argv(tool: &str, script: &str) -> Vec<String> {
    let (program, flag, script) = match tool {
        "python3" => ("python3", "-c", format!("{script}\nprint('WORKS')")),
        "node" => {
            ("node", "-e", format!("{script}; process.on('exit', () => console.log('WORKS'))"))
        }
        _ => ("sh", "-c", format!("{script} && echo WORKS")),
    };
    vec![program.into(), flag.into(), script]
}

/// What needs a socket, or a device that is the host's own, at level reduced. The documentation names
/// them.
const NOT_REDUCED: [&str; 9] = [
    "a list of the root",
    "a file in /tmp by that name",
    "a loopback server",
    "a loopback server by UDP and version 6",
    "a local socket in the slot and in TMPDIR",
    "workers and shared memory",
    "a terminal of its own",
    "a server and a worker in JavaScript",
    "a pipeline over devices and shared memory",
];

/// Names of what did not work at a level, and what each of them said.
async fn everyday(level: WantedLevel) -> Vec<(&'static str, String)> {
    let machine = Lab::new();
    let sandbox = machine.sandbox_of(level).await;
    let mut wrong = Vec::new();
    for (name, tool, script) in ALL {
        let lab = Lab::new();
        if !need(tool, on_path(&lab.env, tool.split(' ').next().unwrap())) {
            continue;
        }
        let mut cmd = lab.command(&[]);
        cmd.argv = argv(tool, script);
        let finished = run(&sandbox, &cmd).await;
        if finished.exit != Exit::Code(0) || !text(&finished).contains("WORKS") {
            wrong.push((name, format!("{name}: {:?} {}", finished.exit, text(&finished))));
        }
    }
    wrong
}

fn told(wrong: &[(&str, String)]) -> String {
    wrong.iter().map(|it| it.1.as_str()).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn everyday_commands_work() {
    let wrong = everyday(WantedLevel::Full).await;
    assert!(wrong.is_empty(), "{}", told(&wrong));
}

#[tokio::test]
async fn at_reduced_everyday_commands_work_but_for_the_named() {
    let wrong = everyday(WantedLevel::Reduced).await;
    let there = |name: &&str| {
        let tool = ALL.iter().find(|it| it.0 == *name).unwrap().1;
        on_path(&Environment::from_process(), tool)
    };
    let expected: Vec<&str> = NOT_REDUCED.into_iter().filter(there).collect();
    let names: Vec<&str> = wrong.iter().map(|it| it.0).collect();
    assert_eq!(names, expected, "{}", told(&wrong));
}

#[test]
fn everyday_commands_work_for_an_ordinary_user() {
    for test in ["everyday_commands_work", "at_reduced_everyday_commands_work_but_for_the_named"] {
        again_as_ordinary_user(&format!("sandbox::work::{test}"));
    }
}

#[tokio::test]
async fn pytest_runs_with_temporary_files() {
    let tool = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../test-tools/runners");
    if !need("pytest (tests/tools/install.sh)", tool.join("bin/pytest").exists()) {
        return;
    }
    let tool = tool.canonicalize().unwrap();
    for level in [WantedLevel::Full, WantedLevel::Reduced] {
        let lab = Lab::new();
        let tests = "def test_a(tmp_path):\n    (tmp_path / 'x').write_text('x')\n\
                     def test_b(tmp_path_factory):\n    assert tmp_path_factory.mktemp('d').is_dir()\n";
        std::fs::write(lab.path("slot/test_it.py"), tests).unwrap();
        let pytest = tool.join("bin/pytest").to_string_lossy().into_owned();
        let mut cmd = lab.command(&[&pytest, "-q", "--junit-xml=report.xml"]);
        cmd.env = Environment::from_process();
        cmd.read_only.push(tool.clone());
        let finished = run(&lab.sandbox_of(level).await, &cmd).await;
        assert_eq!(finished.exit, Exit::Code(0), "{level:?}: {}", text(&finished));
        assert!(text(&finished).contains("2 passed") && lab.path("slot/report.xml").exists());
    }
}

/// The developer's own environment: the lab's has a home without a toolchain.
fn cargo(lab: &Lab, files: &[(&str, &str)]) -> Option<Confined> {
    let env = Environment::from_process();
    if !need("cargo", on_path(&env, "cargo")) {
        return None;
    }
    for (name, content) in files {
        let path = lab.path("slot").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    let mut cmd = lab.command(&["cargo", "test"]);
    let cache = lab.path("cache").to_string_lossy().into_owned();
    cmd.env = env;
    cmd.env.vars.insert("CARGO_TARGET_DIR".into(), cache);
    cmd.timeout_ms_max = 300_000;
    Some(cmd)
}

async fn tests_pass(sandbox: &Sandbox, cmd: &Confined, count: &str) {
    let finished = run(sandbox, cmd).await;
    assert_eq!(finished.exit, Exit::Code(0), "{}", text(&finished));
    assert!(text(&finished).contains(count), "{}", text(&finished));
}

const MANIFEST: &str =
    "[package]\nname = \"demo\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[workspace]\n";

#[tokio::test]
async fn cargo_tests_a_crate_with_a_build_script() {
    let build = "fn main() {\n    let dir = std::env::var(\"OUT_DIR\").unwrap();\n    \
                 std::fs::write(dir + \"/n.rs\", \"pub const N: u8 = 7;\").unwrap();\n}\n";
    let socket = "std::net::TcpListener::bind(\"127.0.0.1:0\").unwrap();";
    for (level, more) in [(WantedLevel::Full, socket), (WantedLevel::Reduced, "")] {
        let lab = Lab::new();
        let lib = format!(
            "//! ```\n//! assert_eq!(demo::N, 7);\n//! ```\n\
             include!(concat!(env!(\"OUT_DIR\"), \"/n.rs\"));\n\
             #[test]\nfn n() {{\n    assert_eq!(N, 7);\n    {more}\n}}\n"
        );
        let files = [("Cargo.toml", MANIFEST), ("build.rs", build), ("src/lib.rs", &lib)];
        let Some(cmd) = cargo(&lab, &files) else { return };
        let sandbox = lab.sandbox_of(level).await;
        tests_pass(&sandbox, &cmd, "1 passed").await;
        assert!(lab.path("cache/debug").is_dir() && !lab.path("slot/target").exists());
    }
}

#[tokio::test]
async fn cargo_finds_fetched_crates_and_cannot_change_them() {
    // One that this project itself depends on, so it was fetched to build this test.
    let cached = ["CARGO_HOME", "HOME"].iter().find_map(|name| {
        let dir = std::env::var(name).ok()?;
        let dir = if *name == "HOME" { dir + "/.cargo" } else { dir };
        let sources = std::fs::read_dir(Path::new(&dir).join("registry/cache")).ok()?;
        sources.flatten().flat_map(|it| std::fs::read_dir(it.path()).unwrap()).flatten().find_map(
            |it| {
                let name = it.file_name().into_string().ok()?;
                Some(name.strip_prefix("cfg-if-")?.strip_suffix(".crate")?.to_string())
            },
        )
    });
    if !need("a fetched cfg-if", cached.is_some()) {
        return;
    }
    let manifest =
        format!("{MANIFEST}\n[dependencies]\ncfg-if = \"={}\"\n", cached.unwrap_or_default());
    let lib = "cfg_if::cfg_if! { if #[cfg(test)] { #[test] fn n() {} } }\n\
               #[test]\nfn caches_are_read_only() {\n    let home = std::env::var(\"CARGO_HOME\");\n    \
               assert!(std::fs::write(home.unwrap() + \"/registry/bad\", \"x\").is_err());\n}\n";
    for level in [WantedLevel::Full, WantedLevel::Reduced] {
        let lab = Lab::new();
        let files = [("Cargo.toml", manifest.as_str()), ("src/lib.rs", lib)];
        let Some(cmd) = cargo(&lab, &files) else { return };
        let sandbox = lab.sandbox_of(level).await;
        tests_pass(&sandbox, &cmd, "2 passed").await;
        // And from a full cache.
        tests_pass(&sandbox, &cmd, "2 passed").await;
    }
}

#[tokio::test]
async fn git_reads_the_slot_with_a_store_that_is_read_only() {
    let lab = Lab::new();
    if !need("git", on_path(&lab.env, "git")) {
        return;
    }
    let git = |args: &[&str]| {
        let mut command = Command::new("git");
        command.args(["-c", "user.name=x", "-c", "user.email=x@x"]).args(args);
        let output = command.current_dir(lab.path("outside")).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    git(&["init", "-q"]);
    git(&["add", "."]);
    git(&["commit", "-q", "-m", "first"]);
    git(&["worktree", "add", "-q", "../tree"]);
    let (repository, tree) = (lab.path("outside/.git"), lab.path("tree"));
    for level in [WantedLevel::Full, WantedLevel::Reduced] {
        let script = "git log --oneline && echo y > file && git diff && git status --short; \
                      git commit -qam x && echo COMMITTED";
        let mut cmd = lab.command(&["sh", "-c", script]);
        let read_only = vec![repository.clone()];
        (cmd.slot, cmd.dir, cmd.read_only) = (tree.clone(), tree.clone(), read_only);
        let said = text(&run(&lab.sandbox_of(level).await, &cmd).await);
        assert!(
            said.contains("first") && said.contains("+y") && said.contains(" M file"),
            "{said}"
        );
        assert!(!said.contains("COMMITTED"), "{level:?}: {said}");
    }
}
