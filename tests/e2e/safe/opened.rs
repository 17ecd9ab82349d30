//! Hostile repositories: every program that git can be told to run leaves a mark. Nothing that a
//! person types, and no editor that opens it, makes one run.

use crate::story::{HONEST, Story};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Stdio;

const KEYS: [&str; 18] = [
    "core.fsmonitor",
    "core.editor",
    "core.pager",
    "core.sshCommand",
    "core.askPass",
    "core.gitProxy",
    "core.alternateRefsCommand",
    "diff.external",
    "diff.evil.command",
    "diff.evil.textconv",
    "filter.evil.clean",
    "filter.evil.smudge",
    "filter.evil.process",
    "merge.evil.driver",
    "gpg.program",
    "credential.helper",
    "sequence.editor",
    "uploadpack.packObjectsHook",
];

const HOOKS: [&str; 12] = [
    "pre-commit",
    "prepare-commit-msg",
    "commit-msg",
    "post-commit",
    "post-checkout",
    "post-merge",
    "post-rewrite",
    "reference-transaction",
    "post-index-change",
    "fsmonitor-watchman",
    "pre-auto-gc",
    "update",
];

/// Arms everything, by files alone: git itself must not run after this.
fn arm(story: &Story) -> PathBuf {
    let (canary, program) = (story.home.join("canary"), story.home.join("program"));
    let text = format!("#!/bin/sh\necho \"$0 $*\" >> '{}'\ncat\n", canary.display());
    std::fs::write(&program, text).unwrap();
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
    for key in KEYS {
        story.git(&["config", key, program.to_str().unwrap()]);
    }
    let git = story.root.join(".git");
    std::fs::create_dir_all(git.join("hooks")).unwrap();
    for hook in HOOKS {
        std::fs::copy(&program, git.join("hooks").join(hook)).unwrap();
    }
    std::fs::write(git.join("info/attributes"), "* diff=evil merge=evil filter=evil\n").unwrap();
    let direnv = format!("'{}'\n", program.display());
    for file in [".envrc", ".vimrc", ".exrc", ".nvim.lua", ".lvimrc"] {
        story.write(file, &direnv);
    }
    // A repository inside, with the same configuration, and one that points elsewhere.
    let inner = story.root.join("vendor/inner/.git");
    std::fs::create_dir_all(inner.join("hooks")).unwrap();
    for name in ["config", "HEAD", "hooks/post-checkout"] {
        std::fs::copy(git.join(name), inner.join(name)).unwrap();
    }
    std::fs::write(inner.join("commondir"), "../../../.git\n").unwrap();
    story.write("vendor/other/.git", "gitdir: ../../.git\n");
    std::os::unix::fs::symlink("../.git", story.root.join("vendor/link")).unwrap();
    canary
}

fn fired(canary: &PathBuf) -> Option<String> {
    std::fs::read_to_string(canary).ok()
}

#[test]
fn nothing_in_a_hostile_repository_runs_whatever_is_typed() {
    let story = Story::new(HONEST);
    let canary = arm(&story);
    for args in [
        &["status"][..],
        &["board"],
        &["doctor"],
        &["log"],
        &["trust", "--yes"],
        &["run", "--yes", "--plain", "two is three"],
        &["task", "T1"],
        &["diff", "T1"],
        &["explain", "A1"],
        &["replay", "R2.1"],
        &["board", "--all", "--json"],
        &["undo", "T1"],
        &["resume"],
        &["retry", "T1"],
        &["cancel", "T1"],
        &["sandbox", "--", "true"],
        &["doctor", "--json"],
    ] {
        let output = story.run(args);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code().is_some_and(|it| it != 70), "baton {args:?}: {said}");
        assert_eq!(fired(&canary), None, "baton {args:?}");
    }
    let team = story.reader().team().unwrap();
    assert!(team.task(team::TaskId(1)).is_some(), "the task went its way");
}

#[test]
fn nothing_in_a_hostile_repository_runs_when_an_editor_opens_it() {
    let story = Story::new(HONEST);
    let canary = arm(&story);
    for dir in
        [story.root.clone(), story.root.join("vendor/inner"), story.root.join("vendor/other")]
    {
        let mut lsp = story.baton(&["lsp", "--in-process"]);
        lsp.current_dir(&dir).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut lsp = lsp.spawn().unwrap();
        let mut pipe = lsp.stdin.take().unwrap();
        let uri = format!("file://{}", dir.display());
        let file = format!("{uri}/src/numbers.txt");
        for message in [
            format!(
                r#"{{"jsonrpc":"2.0","id":1,"method":"initialize","params":{{"processId":null,"rootUri":"{uri}","capabilities":{{}},"workspaceFolders":[{{"uri":"{uri}","name":"it"}}]}}}}"#
            ),
            r#"{"jsonrpc":"2.0","method":"initialized","params":{}}"#.to_owned(),
            format!(
                r#"{{"jsonrpc":"2.0","method":"textDocument/didOpen","params":{{"textDocument":{{"uri":"{file}","languageId":"text","version":1,"text":"x"}}}}}}"#
            ),
            format!(
                r#"{{"jsonrpc":"2.0","id":2,"method":"textDocument/codeAction","params":{{"textDocument":{{"uri":"{file}"}},"range":{{"start":{{"line":0,"character":0}},"end":{{"line":0,"character":0}}}},"context":{{"diagnostics":[]}}}}}}"#
            ),
            r#"{"jsonrpc":"2.0","id":3,"method":"shutdown"}"#.to_owned(),
            r#"{"jsonrpc":"2.0","method":"exit"}"#.to_owned(),
        ] {
            write!(pipe, "Content-Length: {}\r\n\r\n{message}", message.len()).unwrap();
        }
        drop(pipe);
        let output = lsp.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(said.contains(r#""id":1"#) && said.contains(r#""id":3"#), "{said}");
        assert_eq!(fired(&canary), None, "{}", dir.display());
    }
}
