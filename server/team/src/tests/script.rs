//! The words of the scripts, and how events are shown.

use crate::*;
use expect_test::Expect;

pub(super) const START: Millis = 1_000_000;

/// Plays a script, one input a line, a minute apart, and compares the transcript.
#[track_caller]
pub(super) fn check(script: &str, transcript: Expect) {
    let (team, mut res, _) = play(script);
    for job in jobs(&team) {
        res += &format!("job {}\n", show_job(&job));
    }
    let board = board(&team);
    for it in &board.tasks {
        res += &format!("{} {:?}: {}\n", it.task, it.column, it.step);
    }
    for it in &board.approvals {
        res += &format!("{}: {} [{}]\n", it.approval, it.proof, it.answers.join(" "));
    }
    transcript.assert_eq(&res);
}

/// The team after a script, the transcript, and the time of its last line.
pub(crate) fn play(script: &str) -> (Team, String, Millis) {
    let mut team = Team::default();
    let mut res = String::new();
    let mut now = START;
    for line in script.lines().map(str::trim).filter(|it| !it.is_empty()) {
        now += 60_000;
        res += &format!("> {line}\n");
        for input in parse(&team, line) {
            match decide(&team, now, input) {
                Ok(events) => {
                    for event in events {
                        team.apply(&event);
                        res += &format!("  {}\n", show(&event));
                    }
                }
                Err(refusal) => res += &format!("  refused: {refusal}\n"),
            }
        }
    }
    (team, res, now)
}

pub(super) fn commit(text: &str) -> CommitId {
    CommitId(text.to_string())
}

/// Commits and trees share their names in scripts: `h1` has tree `h1`, unless `tree=` says otherwise.
fn tree(text: &str) -> TreeId {
    TreeId(text.to_string())
}

fn person() -> By {
    By::Person { door: "terminal".into() }
}

pub(crate) fn brief(text: &str) -> Brief {
    let words: Vec<&str> = text.split(' ').collect();
    Brief {
        land_by_rule: text.contains("--yes"),
        class: option(&words, "class").map(|it| Class::by_name(it).unwrap()),
        budget: option(&words, "budget").map(|it| it.parse().unwrap()).unwrap_or_default(),
        ..Brief::new(text, Origin::CommandLine)
    }
}

pub(super) fn base(seen: &str) -> Base {
    Base {
        base: commit("b0"),
        seen: commit(seen),
        seen_tree: tree(seen),
        target: Target::Branch("refs/heads/main".into()),
        says: "HEAD b0".into(),
        left_out: vec![],
    }
}

pub(super) fn test_check() -> CheckSpec {
    CheckSpec {
        name: "test".into(),
        argv: vec!["cargo".into(), "test".into()],
        report: Report::Cargo,
        required: true,
        timeout_ms_max: 600_000,
    }
}

pub(super) fn facts(head: &str) -> ChangeFacts {
    let path = "src/lib.rs".to_string();
    let file = FileChange { path, kind: FileKind::Modified, added: 6, removed: 2 };
    ChangeFacts {
        head: commit(head),
        tree: tree(head),
        descends: true,
        files: vec![file],
        protected: vec![],
        weakened: vec![],
        outside: vec![],
    }
}

pub(super) fn file(path: &str) -> FileChange {
    FileChange { path: path.to_string(), kind: FileKind::Modified, added: 3, removed: 1 }
}

/// Marketing's head on top of the task's, with these files of its own.
pub(super) fn notes_facts(head: &str, paths: &[String]) -> NotesFacts {
    let files: Vec<FileChange> = paths.iter().map(|it| file(it)).collect();
    let mut change = facts(head);
    change.files.extend(files.iter().cloned());
    NotesFacts { change, files }
}

pub(super) fn plan(paths: Vec<String>) -> Plan {
    Plan {
        approach: "do it so".into(),
        rejected: vec!["another way: slower".into()],
        paths,
        tests: "a test of it".into(),
        assumptions: vec![],
        decisions: vec!["keep the old flag because scripts use it".into()],
    }
}

pub(super) fn receipt(run: RunId, on: &str, passed: u32, failing: &[&str]) -> Receipt {
    let failed = u32::try_from(failing.len()).unwrap();
    let failing: Vec<String> = failing.iter().map(|it| it.to_string()).collect();
    let named = vec![(
        "repro".to_string(),
        if failing.contains(&"repro".to_string()) { Outcome::Failed } else { Outcome::Passed },
    )];
    Receipt {
        id: ReceiptId { run, n: 0 },
        ran: Ran::Check { name: "test".into() },
        argv: vec!["cargo".into(), "test".into()],
        dir: String::new(),
        exit: Exit::Code(if failed == 0 { 0 } else { 101 }),
        duration_ms: 1200,
        output: "00".into(),
        output_bytes: 100,
        commit: Some(commit(on)),
        tree: Some(tree(on)),
        tests: Some(Tests { passed, failed, ignored: 0, failing, named, trouble: None }),
        sandbox: SandboxLevel::Full,
        environment: "00".into(),
        at: START,
    }
}

fn rerun_of(first: &Receipt, failing: &str) -> Receipt {
    let failing: Vec<String> =
        failing.split(',').filter(|it| *it != "-").map(String::from).collect();
    let old = first.tests.clone().unwrap();
    let how = |it: &String| if failing.contains(it) { Outcome::Failed } else { Outcome::Passed };
    let named = old.failing.iter().map(|it| (it.clone(), how(it))).collect();
    let failed = u32::try_from(failing.len()).unwrap();
    let passed = old.passed + old.failed - failed;
    let mut receipt = first.clone();
    receipt.ran = Ran::Rerun { name: "test".into() };
    receipt.exit = Exit::Code(if failed == 0 { 0 } else { 101 });
    receipt.tests = Some(Tests { passed, failed, failing, named, ..Tests::default() });
    receipt
}

pub(super) fn setup(content: &str) -> Setup {
    Setup {
        argv: vec!["npm".into(), "ci".into()],
        commit: commit("any"),
        files: vec!["package-lock.json".into()],
        content: content.into(),
        why: "node_modules is not there".into(),
    }
}

pub(super) fn candidate(l: &str, tip: &str, on_tree: &str, head: &str, change: &str) -> Candidate {
    Candidate {
        commit: commit(l),
        tree: tree(on_tree),
        tip: commit(tip),
        head: commit(head),
        change: ChangeId(change.into()),
        files: facts(head).files,
        hunks: hunks("src/lib.rs:h1+h2,b.bin:b1"),
        acts: vec![],
        risk: vec![],
        merges: vec![],
        blocked: vec![],
        notes: vec![],
    }
}

/// `src/lib.rs:h1+h2,b.bin:b1`.
pub(super) fn hunks(text: &str) -> Vec<FileHunks> {
    let file = |it: &str| {
        let (path, ids) = it.split_once(':').unwrap_or((it, ""));
        let ids = ids.split('+').filter(|it| !it.is_empty());
        FileHunks { path: path.into(), hunks: ids.map(String::from).collect() }
    };
    text.split(',').filter(|it| !it.is_empty()).map(file).collect()
}

/// `at=src/lib.rs:40`: a comment on that line.
fn comments(words: &[&str]) -> Vec<Comment> {
    let at = |it: String| {
        let (path, line) = it.split_once(':')?;
        let (path, line) = (path.to_string(), line.parse().ok()?);
        let (quoted, text) = ("let x = 1;".into(), "why so?".into());
        Some(Comment { path, line, side: Side::New, quoted, text })
    };
    list(words, "at").into_iter().filter_map(at).collect()
}

/// `key=value` among the words of a line.
fn option<'a>(words: &[&'a str], key: &str) -> Option<&'a str> {
    words.iter().find_map(|it| it.strip_prefix(key)?.strip_prefix('='))
}

fn list(words: &[&str], key: &str) -> Vec<String> {
    option(words, key).map(|it| it.split(',').map(String::from).collect()).unwrap_or_default()
}

fn parse(team: &Team, line: &str) -> Vec<Input> {
    let words: Vec<&str> = line.split(' ').collect();
    let rest = words.get(2..).unwrap_or_default().join(" ");
    let who = words[0];
    if who == "delegate" {
        return vec![Input::Delegate { brief: brief(&words[1..].join(" ")) }];
    }
    if who == "tick" {
        return vec![Input::Tick];
    }
    if who == "forget" {
        return vec![Input::Forget { memo: words[1].parse().unwrap(), by: person() }];
    }
    match who.as_bytes()[0] {
        b'R' => of_run(team, who.parse().unwrap(), &words, &rest),
        b'T' => vec![of_task(team, who.parse().unwrap(), &words, &rest)],
        b'A' => vec![of_approval(who.parse().unwrap(), &words, &rest)],
        b'Q' => {
            let text = words[1..].join(" ");
            vec![Input::AnswerQuestion { question: who.parse().unwrap(), text, by: person() }]
        }
        _ => panic!("no such line in a script: {line}"),
    }
}

fn of_run(team: &Team, run: RunId, words: &[&str], rest: &str) -> Vec<Input> {
    let over =
        |handoff: Handoff, facts: Option<Facts>| vec![Input::HandedOver { run, handoff, facts }];
    let on = match team.run(run).map(|it| &it.work) {
        Some(Work::Checks { commit, .. }) => commit.0.clone(),
        Some(Work::Setup { setup, .. }) => setup.commit.0.clone(),
        Some(Work::Role { on, .. }) => on.0.clone(),
        None => String::new(),
    };
    match words[1] {
        "triaged" => {
            let class = Class::ALL.into_iter().find(|it| it.name() == words[2]).unwrap();
            let (severity, summary) = (Severity::Medium, "it is so".into());
            let or_class = option(words, "or").and_then(Class::by_name);
            let is_visible = !words.contains(&"unseen");
            let criteria = vec![];
            over(
                Handoff::Triaged { class, severity, summary, criteria, or_class, is_visible },
                None,
            )
        }
        "designed" => {
            let facts = PlanFacts { wrong: list(words, "wrong"), risk: list(words, "risk") };
            let paths = if words.contains(&"nowhere") { vec![] } else { vec!["src/**".into()] };
            over(Handoff::Designed { plan: plan(paths) }, Some(Facts::Plan(facts)))
        }
        "announced" => {
            let (head, summary) = (commit("what the model says"), "said so".into());
            let facts = notes_facts(words[2], &list(words, "files"));
            let notes = Notes::Written { head, summary };
            over(Handoff::Announced { notes }, Some(Facts::Notes(facts)))
        }
        "announced-nothing" => {
            over(Handoff::Announced { notes: Notes::Nothing { why: rest.into() } }, None)
        }
        "changed" => {
            let mut facts = facts(words[2]);
            facts.weakened = list(words, "weakened");
            facts.protected = list(words, "protected");
            facts.outside = list(words, "outside");
            if let Some(path) = option(words, "only") {
                facts.files = vec![file(path)];
            }
            if words.contains(&"nothing") {
                facts.files.clear();
            }
            let (summary, look_first) = ("fix it".into(), "src/lib.rs:40".into());
            let head = commit("what the model says");
            over(
                Handoff::Changed { head, summary, look_first, risks: vec![] },
                Some(Facts::Change(facts)),
            )
        }
        "validated" => {
            let verdict = if words[2] == "pass" { Verdict::Pass } else { Verdict::Fail };
            let receipts = list(words, "receipts").iter().map(|it| it.parse().unwrap()).collect();
            let head = commit(option(words, "head").unwrap_or(&on));
            let notes = option(words, "notes").unwrap_or("").to_string();
            over(Handoff::Validated { verdict, head, receipts, notes }, None)
        }
        "answered" => {
            let citations = if words.contains(&"uncited") { vec![] } else { vec!["a:1".into()] };
            let facts = Facts::Citations { wrong: list(words, "wrong") };
            over(Handoff::Answered { text: rest.into(), citations }, Some(facts))
        }
        "declined" => over(Handoff::Declined { why: rest.into() }, None),
        _reported => of_shell(team, run, words, rest, &on),
    }
}

/// What the shell reports about a run.
fn of_shell(team: &Team, run: RunId, words: &[&str], rest: &str, on: &str) -> Vec<Input> {
    match words[1] {
        "reproduced" => {
            let tests = vec!["repro".to_string()];
            let receipt = ReceiptId { run, n: 1 };
            let repro = Repro { commit: commit(words[2]), tests, receipt, strong: true };
            vec![Input::Reproduced { run, repro }]
        }
        "checked" => {
            let passed = words[2].parse().unwrap();
            let failing = list(words, "failing");
            let failing: Vec<&str> = failing.iter().map(String::as_str).collect();
            let mut receipt = receipt(run, on, passed, &failing);
            let task = team.run(run).and_then(|it| team.task(it.task));
            if let Some(l) =
                task.and_then(|it| it.candidate.as_ref()).filter(|it| it.commit.0 == on)
            {
                receipt.tree = Some(l.tree.clone());
            }
            if let Some(tests) = receipt.tests.as_mut().filter(|_| words.contains(&"unshown")) {
                tests.named = vec![("repro".to_string(), Outcome::Missing)];
            }
            let mut all = vec![Input::Recorded { run, receipt: receipt.clone() }];
            // `rerun=x,y` ran again, and there only these failed; `-`: none.
            for again in words.iter().filter_map(|it| it.strip_prefix("rerun=")) {
                all.push(Input::Recorded { run, receipt: rerun_of(&receipt, again) });
            }
            all.push(Input::Checked { run });
            all
        }
        "wants-setup" => vec![Input::SetupWanted { run, setup: setup(words[2]) }],
        "set-up" => {
            let mut receipt = receipt(run, on, 0, &[]);
            (receipt.ran, receipt.tests) = (Ran::Setup, None);
            receipt.exit = Exit::Code(words[2].parse().unwrap());
            vec![Input::Recorded { run, receipt }, Input::SetUp { run }]
        }
        "recorded" => vec![Input::Recorded { run, receipt: receipt(run, words[2], 1, &[]) }],
        "heard" => vec![Input::Heard { run, words: words[2].parse().unwrap() }],
        "spent" => {
            let micros = words[2].parse().unwrap();
            let usage = Usage { calls: 1, input_tokens: 10, micros, ..Usage::default() };
            let micros_max = 20_000_000;
            let day = DayMoney { spent_micros: team.today.micros, micros_max };
            vec![Input::Spent { run, usage, day }]
        }
        "asks" => {
            let proceed = words.contains(&"proceed");
            let options = vec!["this".into(), "that".into()];
            let (text, stakes) = ("which one?".into(), "an hour".into());
            let deadline_at = START + 30 * 60_000;
            let ask = Question { text, options, default: 1, proceed, deadline_at, stakes };
            vec![Input::AskedPerson { run, ask }]
        }
        "failed" => {
            let code = match words[2] {
                "no-sandbox" => Code::NoSandbox,
                "stuck" => Code::Stuck,
                _ => Code::Model,
            };
            vec![Input::RunFailed { run, failure: Failure::new(code, rest) }]
        }
        other => panic!("a run does not {other}"),
    }
}

fn of_task(team: &Team, task: TaskId, words: &[&str], rest: &str) -> Input {
    match words[1] {
        "snapshotted" => {
            let named = words.get(2).filter(|it| **it != "unchecked" && !it.contains('='));
            let base = base(named.copied().unwrap_or("b0"));
            let checks = if words.contains(&"unchecked") { vec![] } else { vec![test_check()] };
            let limits = Limits::default();
            Input::Snapshotted { task, base, checks, ways: ways(words), limits }
        }
        "candidate" => {
            let tip = option(words, "tip").unwrap_or("b0");
            let head = team.task(task).and_then(|it| it.head.as_ref()).unwrap().commit.0.clone();
            let head = option(words, "head").map_or(head, str::to_string);
            let on_tree = option(words, "tree").unwrap_or(&head);
            let change = option(words, "change").unwrap_or("same");
            let mut candidate = candidate(words[2], tip, on_tree, &head, change);
            candidate.acts = list(words, "acts");
            candidate.risk = list(words, "risk");
            candidate.blocked = list(words, "blocked");
            candidate.merges = list(words, "merges");
            if words.contains(&"empty") {
                candidate.files.clear();
            }
            Input::CandidateBuilt { task, candidate }
        }
        "part" => {
            let change = ChangeId(option(words, "change").unwrap_or("part").into());
            Input::PartMade { task, head: commit(words[2]), change }
        }
        "part-conflicted" => Input::PartConflicted { task, paths: vec![words[2].into()] },
        "conflicted" => {
            Input::CandidateConflicted { task, tip: commit("b1"), paths: vec![rest.into()] }
        }
        "planned" => Input::LandingPlanned { task, plan: vec![] },
        "tip-moved" => Input::TipMoved { task },
        "landed" => Input::Landed { task },
        "landing-refused" => Input::LandingRefused { task, why: rest.into() },
        "cancel" => Input::Cancel { task },
        "park" => Input::Park { task },
        "retry" => Input::Retry { task },
        "undo" => Input::Undo { task },
        "undone" => Input::Undone { task, how: "back".into() },
        "say" => Input::Say { task, text: rest.into(), by: person() },
        "opened" => view(task, Sign::Opened, words),
        "worked-on" => view(task, Sign::Working, words),
        "closed" => view(task, Sign::Closed, words),
        "undo-refused" => Input::UndoRefused { task, why: rest.into() },
        "step-failed" => {
            Input::StepFailed { task, failure: Failure::new(Code::DiskFull, "no space left") }
        }
        other => panic!("a task does not {other}"),
    }
}

/// With the approval that is looked at, if any.
fn view(task: TaskId, sign: Sign, words: &[&str]) -> Input {
    let approval = words.get(2).map(|it| it.parse().unwrap());
    Input::View { task, approval, sign, by: person() }
}

/// `feature=design,human:build,build,validate` among the words.
fn ways(words: &[&str]) -> Ways {
    let mut res = Ways::default();
    for class in Class::ALL {
        if let Some(stages) = option(words, class.name()) {
            let stages: Vec<&str> = stages.split(',').collect();
            assert!(res.set(class, Stages::parse(&stages).unwrap()));
        }
    }
    res
}

fn of_approval(approval: ApprovalId, words: &[&str], rest: &str) -> Input {
    let answer = match words[1] {
        "approve" => match option(words, "only") {
            None => Answer::Approve { ticked: list(words, "tick") },
            Some(only) => Answer::ApproveSome { ticked: list(words, "tick"), hunks: hunks(only) },
        },
        "apply" => Answer::Apply,
        "revise" => Answer::Revise { text: rest.into(), comments: comments(words) },
        "rebuild" => Answer::Rebuild,
        "reject" => Answer::Reject { why: rest.into() },
        other => panic!("no such answer: {other}"),
    };
    let expected = option(words, "change").map(|it| ChangeId(it.into()));
    Input::Answer { approval, expected, answer, by: person() }
}

pub(super) fn show(event: &Event) -> String {
    match event {
        Event::TaskDelegated { task, .. } => format!("{task} delegated"),
        Event::TaskSnapshotted { task, base, .. } => format!("{task} starts from {}", base.seen),
        Event::TaskClassified { task, class, why, .. } => {
            format!("{task} is a {}: {why}", class.name())
        }
        Event::RunStarted { run, task, work, .. } => show_start(*run, *task, work),
        Event::RunSpent { run, usage, .. } => format!("{run} spent {}", usage.micros),
        Event::BudgetWarned { run, text } => format!("{run} warned: {text}"),
        Event::ReceiptRecorded { receipt, .. } => {
            format!("{} {}", receipt.id, if receipt.is_green() { "green" } else { "red" })
        }
        Event::ReproRecorded { run, repro } => format!("{run} reproduced at {}", repro.commit),
        Event::RunHandedOver { run, .. } => format!("{run} handed over"),
        Event::QuestionAsked { question, run, .. } => format!("{question} asked by {run}"),
        Event::QuestionAnswered { question, text, by, .. } => {
            format!("{question} answered: {text} ({by:?})")
        }
        Event::RunLost { run, failure, .. } => format!("{run} lost: {failure}"),
        Event::RunChecked { run, .. } => format!("{run} checked"),
        Event::CandidateWanted { task, head } => format!("{task} wants a candidate of {head}"),
        Event::CandidateBuilt { task, candidate } => {
            format!("{task} candidate {} on {}", candidate.commit, candidate.tip)
        }
        Event::CandidateConflicted { task, paths, .. } => {
            format!("{task} conflicts in {}", paths.join(", "))
        }
        Event::ApprovalRebased { approval, candidate, .. } => {
            format!("{approval} holds for {} on {}", candidate.commit, candidate.tip)
        }
        Event::ApprovalAsked { approval, subject, .. } => {
            format!("{approval} asked: {}", show_subject(subject))
        }
        Event::ApprovalAnswered { approval, answer, by, .. } => {
            format!("{approval} answered: {answer:?} by {by:?}")
        }
        Event::ApprovalVoided { approval, why } => format!("{approval} void: {why}"),
        Event::PartMade { approval, head, change } => {
            format!("{approval} in part: {head} with the change {}", change.0)
        }
        Event::PartRefused { approval, why } => format!("{approval} in part: refused, {why}"),
        Event::TipMoved { task } => format!("{task}: the tip moved"),
        Event::LandingPlanned { task, .. } => format!("{task} landing planned"),
        Event::TaskLanded { task, .. } => format!("{task} landed"),
        Event::TaskApplied { task, .. } => format!("{task} applied"),
        Event::LandingRefused { task, why } => format!("{task} did not land: {why}"),
        Event::TaskAnswered { task, .. } => format!("{task} answered"),
        Event::TaskRejected { task, why, .. } => format!("{task} rejected: {why}"),
        Event::TaskCancelled { task, .. } => format!("{task} cancelled"),
        Event::TaskParked { task, why, .. } => match why {
            Parked::Failed(failure) => format!("{task} parked: failed: {failure}"),
            Parked::NeedsPerson(text) => format!("{task} parked: {text}"),
            Parked::Stopped => format!("{task} parked: stopped"),
        },
        Event::TaskRetried { task } => format!("{task} retried"),
        Event::UndoStarted { task } => format!("{task} undo started"),
        Event::UndoRefused { task, why } => format!("{task} undo refused: {why}"),
        Event::TaskUndone { task, how, .. } => format!("{task} undone: {how}"),
        Event::PersonSaid { task, text, .. } => format!("{task} was told: {text}"),
        Event::WordsHeard { run, words } => format!("{run} heard {words}"),
        Event::DecisionRecorded { decision, .. } => format!("decided: {}", decision.what),
        Event::TaskViewed { task, sign, .. } => format!("{task} looked at: {sign:?}"),
        Event::MemoForgotten { memo, .. } => format!("{memo} forgotten"),
        Event::TestsQuarantined { tests, until, .. } => {
            format!("quarantined until {until}: {}", tests.join(", "))
        }
    }
}

fn show_subject(subject: &Subject) -> String {
    match subject {
        Subject::Landing { candidate, receipts } => {
            let receipts: Vec<String> = receipts.iter().map(|it| it.to_string()).collect();
            format!("land {} by {}", candidate.commit, receipts.join(", "))
        }
        Subject::Edits { head, why, .. } => format!("edits of {head}: {why}"),
        Subject::Commands { commit, .. } => format!("commands on {commit}"),
        Subject::Plan { run, why, .. } => {
            format!("the plan of {run}: {}", why.join("; "))
        }
        Subject::Stage { before } => format!("go on with {}", before.name()),
        Subject::Setup { setup, .. } => {
            format!("set-up {} on {}", setup.argv.join(" "), setup.commit)
        }
    }
}

fn show_start(run: RunId, task: TaskId, work: &Work) -> String {
    match work {
        Work::Role { duty, on, start: Start::Fresh } => {
            format!("{run} started: {duty:?} of {task} on {on}")
        }
        Work::Role { duty, on, start: Start::Continues { run: old, text } } => {
            format!("{run} started: {duty:?} of {task} on {on}, continues {old}: {text}")
        }
        Work::Checks { commit, why, unconfined } => {
            let how = if *unconfined { ", unconfined" } else { "" };
            format!("{run} started: {why:?} checks of {task} on {commit}{how}")
        }
        Work::Setup { setup, then } => {
            format!("{run} started: set-up of {task} on {}, then {then:?}", setup.commit)
        }
    }
}

fn show_job(job: &Job) -> String {
    match job {
        Job::Snapshot { task } => format!("snapshot {task}"),
        Job::Run { task, run } => format!("run {run} of {task}"),
        Job::Check { task, run } => format!("check {run} of {task}"),
        Job::SetUp { task, run } => format!("set up {run} of {task}"),
        Job::Candidate { task, head } => format!("candidate of {head} for {task}"),
        Job::Part { task, approval } => format!("part of {task} by {approval}"),
        Job::Land { task, edits, plan, .. } => {
            let what = if *edits { "apply" } else { "land" };
            let how = if plan.is_some() { "move" } else { "plan" };
            format!("{what} {task}: {how}")
        }
        Job::Undo { task } => format!("undo {task}"),
    }
}
