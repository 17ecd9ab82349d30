//! How commands end: by themselves, by time, by a stop, with the daemon. Whatever they started, in
//! whatever way, nothing of it lives on.

use super::lab::{Lab, again, again_as_ordinary_user, alive, run, text, wait_for};
use baton::config::WantedLevel;
use baton::sandbox::{Confined, OUTPUT_BYTES_MAX};
use rustix::process::{Pid, Signal};
use std::process::Stdio;
use std::time::{Duration, Instant};
use team::{Code, Exit};
use tokio_util::sync::CancellationToken;

/// Both levels at which commands run confined.
const LEVELS: [WantedLevel; 2] = [WantedLevel::Full, WantedLevel::Reduced];

/// Everything must be gone after this long.
const GONE_MS_MAX: u64 = 1_000;

/// Starts children that try to live on: in the background, with nohup, in a session of their own,
/// forked twice, deaf to signals, in a loop of rebirth. Then says `ready` and waits or ends.
fn survivors(word: &str, then: &str) -> String {
    format!(
        r#"
        tail -f /dev/null {word} &
        nohup tail -f /dev/null {word} >/dev/null 2>&1 &
        setsid tail -f /dev/null {word} &
        ( ( setsid tail -f /dev/null {word} >/dev/null 2>&1 & ) & )
        ( trap '' TERM HUP INT QUIT; sh -c 'tail -f /dev/null {word}; true' ) &
        ( while :; do tail -f /dev/null {word}; done ) &
        echo x > ready
        {then}
        "#
    )
}

fn command(lab: &Lab, script: &str) -> Confined {
    lab.command(&["/bin/sh", "-c", script])
}

/// A word that no other process has in its command line; tail takes it for a file's name.
fn word() -> String {
    tempfile::Builder::new()
        .prefix("baton-survivor-")
        .tempfile()
        .unwrap()
        .path()
        .display()
        .to_string()
}

fn gone(word: &str) {
    let took =
        wait_for("all are gone", Duration::from_millis(GONE_MS_MAX), || alive(word).is_empty());
    println!("all gone after {} ms", took.as_millis());
}

#[tokio::test]
async fn an_ending_by_itself_ends_all() {
    for level in LEVELS {
        let lab = Lab::new();
        let sandbox = lab.sandbox_of(level).await;
        let word = word();
        let finished = run(&sandbox, &command(&lab, &survivors(&word, "echo last; exit 3"))).await;
        assert_eq!(finished.exit, Exit::Code(3));
        assert!(text(&finished).contains("last\n"), "{}", text(&finished));
        gone(&word);
    }
}

#[tokio::test]
async fn a_time_out_ends_all() {
    for level in LEVELS {
        let lab = Lab::new();
        let sandbox = lab.sandbox_of(level).await;
        let word = word();
        let mut cmd = command(&lab, &survivors(&word, "echo before; tail -f /dev/null"));
        cmd.timeout_ms_max = 700;
        let finished = run(&sandbox, &cmd).await;
        assert_eq!(finished.exit, Exit::TimedOut);
        assert!(finished.duration_ms < 700 + GONE_MS_MAX, "{} ms", finished.duration_ms);
        assert!(text(&finished).contains("before"));
        gone(&word);
    }
}

#[tokio::test]
async fn a_time_out_during_the_start_is_one_too() {
    for level in LEVELS {
        let lab = Lab::new();
        let sandbox = lab.sandbox_of(level).await;
        for ms in [0, 1, 2, 4, 8, 12, 16, 20] {
            let word = word();
            let mut cmd = command(&lab, &survivors(&word, "tail -f /dev/null"));
            cmd.timeout_ms_max = ms;
            assert_eq!(run(&sandbox, &cmd).await.exit, Exit::TimedOut);
            gone(&word);
            gone(&lab.dir.path().to_string_lossy());
        }
    }
}

/// Each process lives for a moment only, and has made the next one by then: nobody who kills them one
/// by one catches up.
#[tokio::test]
async fn a_chain_of_births_ends() {
    let script = "import os\nwhile True:\n if os.fork(): os._exit(0)\n os.write(3, b'x')";
    for level in LEVELS {
        let lab = Lab::new();
        let sandbox = lab.sandbox_of(level).await;
        let line = format!("exec 3>>beat; python3 -c \"{script}\"; exec tail -f /dev/null");
        let mut cmd = command(&lab, &line);
        cmd.timeout_ms_max = 2_000;
        assert_eq!(run(&sandbox, &cmd).await.exit, Exit::TimedOut);
        let beats = || std::fs::metadata(lab.path("slot/beat")).unwrap().len();
        let then = beats();
        assert!(2 < then, "{then} births");
        run(&sandbox, &command(&lab, "true")).await;
        assert_eq!(beats(), then, "it goes on at {level:?}");
    }
}

#[tokio::test]
async fn at_reduced_nothing_is_left_on_the_disk() {
    let lab = Lab::new();
    let sandbox = lab.sandbox_of(WantedLevel::Reduced).await;
    let script = "echo x > $TMPDIR/a; mkdir -p ~/b/c; chmod 0 ~/b; echo $HOME";
    let said = text(&run(&sandbox, &command(&lab, script)).await);
    assert!(said.contains("private-"), "{said}");
    let mut cmd = command(&lab, "echo x > $TMPDIR/a; tail -f /dev/null");
    cmd.timeout_ms_max = 300;
    run(&sandbox, &cmd).await;
    assert_eq!(std::fs::read_dir(lab.path("scratch")).unwrap().count(), 0);
}

#[tokio::test]
async fn a_stop_ends_all() {
    for level in LEVELS {
        let lab = Lab::new();
        let sandbox = lab.sandbox_of(level).await;
        let word = word();
        let cmd = command(&lab, &survivors(&word, "tail -f /dev/null"));
        let stop = CancellationToken::new();
        let ready = lab.path("slot/ready");
        let stopped = stop.clone();
        let stopper = tokio::task::spawn_blocking(move || {
            wait_for("it is ready", Duration::from_secs(20), || ready.exists());
            stopped.cancel();
            Instant::now()
        });
        let finished = sandbox.run(&cmd, &stop).await.unwrap();
        assert_eq!(finished.exit, Exit::Interrupted);
        assert!(stopper.await.unwrap().elapsed() < Duration::from_millis(GONE_MS_MAX));
        gone(&word);
    }
}

#[tokio::test]
async fn a_dropped_future_ends_all() {
    for level in LEVELS {
        let lab = Lab::new();
        let sandbox = lab.sandbox_of(level).await;
        let word = word();
        let cmd = command(&lab, &survivors(&word, "tail -f /dev/null"));
        let ready = lab.path("slot/ready");
        let stop = CancellationToken::new();
        tokio::select! {
            _ = sandbox.run(&cmd, &stop) => panic!("it ended"),
            _ = tokio::task::spawn_blocking(move || {
                wait_for("it is ready", Duration::from_secs(20), || ready.exists())
            }) => {}
        }
        gone(&word);
    }
}

#[tokio::test]
async fn an_approved_command_leaves_nothing_either() {
    let lab = Lab::new();
    let sandbox = lab.sandbox().await;
    for (then, exit) in [("exit 3", Exit::Code(3)), ("tail -f /dev/null", Exit::TimedOut)] {
        let word = word();
        let mut cmd = command(&lab, &survivors(&word, then));
        cmd.timeout_ms_max = 700;
        let stop = CancellationToken::new();
        let finished = sandbox.run_unconfined(&cmd, &stop).await.unwrap();
        assert_eq!(finished.exit, exit);
        gone(&word);
    }
}

/// The daemon's part in the next test, which starts it in a process of its own; else it does nothing.
#[tokio::test]
async fn a_daemon_with_a_command() {
    let Ok(root) = std::env::var("BATON_TEST_DAEMON") else { return };
    let mut lab = Lab::new();
    let word = std::env::var("BATON_TEST_WORD").unwrap();
    let reduced = std::env::var_os("BATON_TEST_REDUCED").is_some();
    let level = if reduced { WantedLevel::Reduced } else { WantedLevel::Full };
    let sandbox = lab.sandbox_of(level).await;
    let mut cmd = command(&lab, &survivors(&word, "tail -f /dev/null"));
    cmd.slot = root.clone().into();
    cmd.dir = root.into();
    assert!(lab.damage().is_empty());
    run(&sandbox, &cmd).await;
}

#[test]
fn a_killed_daemon_ends_all() {
    for reduced in [false, true, false, true] {
        let slot = Lab::new();
        let word = word();
        let mut daemon = again("sandbox::endings::a_daemon_with_a_command");
        if reduced {
            daemon.env("BATON_TEST_REDUCED", "1");
        }
        let mut daemon = daemon
            .env("BATON_TEST_DAEMON", slot.path("slot"))
            .env("BATON_TEST_WORD", &word)
            // Killed, it does not clean up after itself.
            .env("BATON_TEST_LAB", slot.path("inner"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let ready = slot.path("slot/ready");
        wait_for("it is ready", Duration::from_secs(20), || ready.exists());
        assert!(6 <= alive(&word).len());
        let pid = Pid::from_child(&daemon);
        rustix::process::kill_process(pid, Signal::KILL).unwrap();
        let killed = Instant::now();
        gone(&word);
        gone(&slot.path("slot").to_string_lossy());
        assert!(killed.elapsed() < Duration::from_millis(GONE_MS_MAX));
        daemon.wait().unwrap();
    }
}

#[test]
fn nothing_lives_on_for_an_ordinary_user() {
    for test in [
        "a_time_out_ends_all",
        "an_ending_by_itself_ends_all",
        "a_killed_daemon_ends_all",
        "a_chain_of_births_ends",
    ] {
        again_as_ordinary_user(&format!("sandbox::endings::{test}"));
    }
}

#[tokio::test]
async fn exit_codes_and_signals_come_through() {
    for level in LEVELS {
        let lab = Lab::new();
        let sandbox = lab.sandbox_of(level).await;
        for (script, exit) in [
            ("exit 0", Exit::Code(0)),
            ("exit 125", Exit::Code(125)),
            ("kill -SEGV $$", Exit::Signal(11)),
            ("kill -KILL $$", Exit::Signal(9)),
            ("kill -TERM $$", Exit::Signal(15)),
        ] {
            assert_eq!(run(&sandbox, &command(&lab, script)).await.exit, exit, "{script}");
            let stop = CancellationToken::new();
            let plain = sandbox.run_unconfined(&command(&lab, script), &stop).await.unwrap();
            assert_eq!(plain.exit, exit, "{script}");
        }
    }
}

#[tokio::test]
async fn what_cannot_start_is_the_commands_own_failure() {
    for level in LEVELS {
        let lab = Lab::new();
        let sandbox = lab.sandbox_of(level).await;
        let finished = run(&sandbox, &lab.command(&["no-such-program"])).await;
        assert_eq!(finished.exit, Exit::Code(127));
        assert!(text(&finished).contains("cannot start no-such-program"), "{}", text(&finished));
        let mut cmd = lab.command(&["/bin/true"]);
        cmd.dir = lab.path("slot/no/such/folder");
        let finished = run(&sandbox, &cmd).await;
        assert!(text(&finished).contains("no folder"), "{}", text(&finished));
        for argv in [&[][..], &[""], &["true", "a\0b"]] {
            let stop = CancellationToken::new();
            let failure = sandbox.run(&lab.command(argv), &stop).await.unwrap_err();
            assert_eq!(failure.code, Code::Command);
        }
    }
}

#[tokio::test]
async fn output_of_every_kind() {
    let lab = Lab::new();
    let sandbox = lab.sandbox().await;
    for (script, expected) in [
        ("echo a; echo b >&2; echo c", &b"a\nb\nc\n"[..]),
        ("exec >&- 2>&-; echo x", b""),
        ("printf '\\000\\377\\033[31m\\r'", b"\0\xff\x1b[31m\r"),
        ("echo x > /dev/stdout; echo y > /dev/stderr", b"x\ny\n"),
        ("cat", b""),
        ("test -t 0 || echo no terminal", b"no terminal\n"),
    ] {
        let finished = run(&sandbox, &command(&lab, script)).await;
        assert_eq!(finished.output, expected, "{script}");
        assert_eq!(finished.output_bytes, expected.len() as u64);
    }
}

/// Run by the next test alone in a process, so that its memory is its own; else it does nothing.
#[tokio::test]
async fn endless_output_alone() {
    if std::env::var_os("BATON_TEST_ALONE").is_none() {
        return;
    }
    let all = std::env::var("BATON_TEST_REQUIRE").as_deref() == Ok("all");
    let gigabytes: u64 = if all { 10 } else { 2 };
    let lab = Lab::new();
    let sandbox = lab.sandbox().await;
    let script = format!("head -c {gigabytes}G /dev/zero; echo the end");
    let mut cmd = command(&lab, &script);
    cmd.timeout_ms_max = 600_000;
    let before = memory_kib("VmRSS");
    let finished = run(&sandbox, &cmd).await;
    let grown = memory_kib("VmHWM").saturating_sub(before);
    println!("{gigabytes} GB in {} ms, memory +{grown} KiB", finished.duration_ms);
    assert_eq!(finished.exit, Exit::Code(0));
    assert_eq!(finished.output_bytes, gigabytes * (1 << 30) + 8);
    assert!(finished.output.len() <= OUTPUT_BYTES_MAX);
    assert!(finished.output.ends_with(b"the end\n"));
    assert!(grown < 32 * 1024, "memory grew by {grown} KiB");
}

#[test]
fn endless_output_is_drained_and_kept_small() {
    let mut alone = again("sandbox::endings::endless_output_alone");
    let output = alone.env("BATON_TEST_ALONE", "1").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{said}");
    assert!(output.status.success() && said.contains(" GB in "), "{said}");
}

fn memory_kib(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|it| it.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn files_that_the_daemon_inherited_stay_its_own() {
    let lab = Lab::new();
    let sandbox = lab.sandbox().await;
    let file = std::fs::File::open(lab.path("home/.ssh/id_rsa")).unwrap();
    // As if the editor had started the daemon with it: it would survive an exec.
    rustix::io::fcntl_setfd(&file, rustix::io::FdFlags::empty()).unwrap();
    let script = "ls -l /proc/self/fd /proc/1/fd /proc/2/fd; for d in /proc/[0-9]*/fd/*; do \
                  timeout 1 head -c 100 $d; done";
    for finished in [
        run(&sandbox, &command(&lab, script)).await,
        sandbox
            .run_unconfined(&command(&lab, "ls -l /proc/self/fd"), &CancellationToken::new())
            .await
            .unwrap(),
    ] {
        let said = text(&finished);
        assert!(said.contains("0 -> /dev/null"), "{said}");
        assert!(!said.contains("id_rsa") && !said.contains(super::lab::SECRET), "{said}");
    }
    drop(file);
}

#[tokio::test]
async fn a_slot_that_is_gone_or_swapped_is_lost() {
    for level in LEVELS {
        let lab = Lab::new();
        let sandbox = lab.sandbox_of(level).await;
        let cmd = command(&lab, "true");
        let lost = async || sandbox.run(&cmd, &CancellationToken::new()).await.unwrap_err().code;
        std::fs::remove_file(lab.path("slot/.git")).unwrap();
        std::os::unix::fs::symlink(lab.path("user/.git"), lab.path("slot/.git")).unwrap();
        assert_eq!(lost().await, Code::WorktreeLost);
        std::fs::remove_dir_all(lab.path("slot")).unwrap();
        assert_eq!(lost().await, Code::WorktreeLost);
    }
}

#[tokio::test]
async fn folders_as_asked_for() {
    let lab = Lab::new();
    let sandbox = lab.sandbox().await;
    let script = "echo x > file; echo x > ../cache/file; cat ../store/HEAD; ls ..";
    let said = text(&run(&sandbox, &command(&lab, script)).await);
    assert_eq!(said, "ref: refs/heads/maincache\nslot\nstore\n");
    let mut cmd = command(&lab, "echo y > file || echo y > new || cat file");
    cmd.slot_read_only = true;
    let said = text(&run(&sandbox, &cmd).await);
    assert!(said.contains("Read-only") && said.ends_with("x\n"), "{said}");
    assert_eq!(std::fs::read_to_string(lab.path("cache/file")).unwrap(), "x\n");
    // A folder that is hidden stays so below one that is shown, but for what is given in it.
    let hiding = sandbox.clone().hiding(&[lab.path("user/.git")]);
    let mut cmd = command(&lab, "ls -A ../user/.git ../user");
    cmd.read_only = vec![lab.path("user"), lab.path("user/.git/hooks")];
    let said = text(&run(&hiding, &cmd).await);
    assert_eq!(said, "../user:\n.git\nsrc\n\n../user/.git:\nhooks\n");
}

#[tokio::test]
async fn a_set_up_command_gets_the_network_and_the_caches_and_no_more() {
    let lab = Lab::new();
    let sandbox = lab.sandbox().await;
    let script = "echo x > $CARGO_HOME/registry/fetched && echo WROTE; cat {home}/.ssh/id_rsa; \
                  exec 3<>/dev/tcp/127.0.0.1/{tcp} && echo CONNECTED; \
                  [ -s \"$PIP_CERT\" ] && echo TRUSTS";
    // The machine's own list of authorities, where it keeps one.
    let lists =
        ["ssl/certs/ca-certificates.crt", "pki/tls/certs/ca-bundle.crt", "ssl/ca-bundle.pem"];
    let has_list = lists.iter().any(|it| std::path::Path::new("/etc").join(it).is_file());
    for (network, wrote, connected) in [(true, true, true), (false, false, false)] {
        let mut cmd = lab.command(&["bash", "-c", &lab.fill(script)]);
        cmd.network = network;
        let said = text(&run(&sandbox, &cmd).await);
        assert_eq!(said.contains("WROTE"), wrote, "{said}");
        assert_eq!(said.contains("CONNECTED"), connected, "{said}");
        assert_eq!(said.contains("TRUSTS"), network && has_list, "{said}");
        assert!(!said.contains(super::lab::SECRET), "{said}");
    }
    assert!(lab.path("home/.cargo/registry/fetched").exists());
}

#[tokio::test]
async fn the_cost_of_a_sandbox() {
    const RUNS: usize = 20;
    let lab = Lab::new();
    let sandbox = lab.sandbox().await;
    let stop = CancellationToken::new();
    let cmd = lab.command(&["/bin/true"]);
    let mut confined = Vec::new();
    let mut plain = Vec::new();
    for _ in 0..RUNS {
        let begun = Instant::now();
        sandbox.run(&cmd, &stop).await.unwrap();
        confined.push(begun.elapsed());
        let begun = Instant::now();
        sandbox.run_unconfined(&cmd, &stop).await.unwrap();
        plain.push(begun.elapsed());
    }
    confined.sort();
    plain.sort();
    println!(
        "`true` confined: {:?} (median of {RUNS}), supervised only: {:?}; {}",
        confined[RUNS / 2],
        plain[RUNS / 2],
        sandbox.describe()
    );
    // A bound that only something badly wrong breaks, on a busy machine too.
    assert!(confined[RUNS / 2] < Duration::from_millis(500));
}
