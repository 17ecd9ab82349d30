//! The commands that act: run, resume, answer, undo, cancel, retry, replay. Each opens the hub in
//! this process, puts one thing to it, and follows the tasks until they settle.

use super::approve::DOOR;
use super::args::{self, Asked};
use super::follow::{Follow, Standing, Tell, Waits, standing};
use super::only;
use super::open::{Doing, Here, Trouble, exit};
use super::person::{Person, option_text};
use super::reach::Reach;
use super::read::print_json;
use super::screen::{Screen, Shade, safe};
use super::steps;
use crate::config::no_model_message;
use crate::hub::Delegation;
use crate::sandbox::Environment;
use std::io::Read;
use team::{
    Answer, ApprovalId, By, End, Input, Origin, Parked, QuestionId, StartFrom, TaskId, Team,
};

/// Longest brief that is read, in bytes.
const BRIEF_BYTES_MAX: u64 = 1024 * 1024;

/// How a task is delegated, for those who forgot the words.
const EXAMPLE: &str = "baton run \"what is wrong\"";

fn tell(json: bool) -> Tell {
    if json { Tell::Json } else { Tell::Lines }
}

/// The text of the brief: as given, or from standard input. Errors: it is empty, too long, no text.
fn brief_text(text: &str, example: &str) -> Result<String, Trouble> {
    let text = if text == "-" {
        let mut read = String::new();
        let stdin = std::io::stdin().lock();
        stdin.take(BRIEF_BYTES_MAX + 1).read_to_string(&mut read).doing("read standard input")?;
        read
    } else {
        text.to_owned()
    };
    if BRIEF_BYTES_MAX < text.len() as u64 {
        return Err(Trouble::Wrong("the brief is longer than 1 MiB; name a file instead".into()));
    }
    if text.trim().is_empty() {
        return Err(Trouble::Wrong(format!("there are no words in it; type {example}")));
    }
    Ok(text)
}

pub async fn run(screen: &Screen, here: &Here, asked: &args::Run) -> Result<u8, Trouble> {
    let text = brief_text(&asked.text, EXAMPLE)?;
    let config = here.config(screen).await?;
    if config.models_in_use().iter().any(|it| it.1.is_none()) {
        return Err(no_model_message()).doing("find a model");
    }
    let hub = here.reach(screen, config).await?;
    if let (true, Reach::Here(_)) = (asked.detach, &hub) {
        hub.close().await;
        let text = "--detach leaves a task to the daemon, and there is none here";
        return Err(Trouble::Wrong(text.to_owned()));
    }
    let person = Person::new(screen);
    let mut follow = Follow::new(&hub, here, screen, &person, tell(asked.json));
    follow.may_ask = !asked.no_land && !asked.yes;
    let delegation = Delegation {
        start: match asked.from {
            args::From::Seen => StartFrom::Seen,
            args::From::Head => StartFrom::Head,
        },
        land_by_rule: asked.yes,
        environment: Environment::profile(),
        worktree: here.place.worktree(),
        class: asked.class.map(args::TaskClass::class),
        budget: asked.budget.unwrap_or_default(),
        ..Delegation::new(text, Origin::CommandLine)
    };
    let task = hub.delegate(delegation).await.doing("delegate")?;
    if let Some(expects) = team::expected(&hub.team(), task) {
        screen.note(format!("{task} expects {}", safe(&expects)));
    }
    if asked.detach {
        return leave(screen, &hub, asked, task).await;
    }
    let code = follow.until_settled(&[task]).await;
    let code = code.map(|it| without_landing(&hub.team(), task, asked.no_land, it));
    finish(&hub, follow, &[task], code).await
}

/// Prints the task's id; the daemon goes on with it.
async fn leave(
    screen: &Screen,
    hub: &Reach,
    asked: &args::Run,
    task: TaskId,
) -> Result<u8, Trouble> {
    hub.close().await;
    if asked.json {
        print_json(screen, &serde_json::json!({ "task": task.to_string() }))?;
    } else {
        screen.line(task.to_string());
    }
    Ok(exit::DONE)
}

/// With `--no-land` a candidate that waits is what was asked for.
fn without_landing(team: &Team, task: TaskId, no_land: bool, code: u8) -> u8 {
    let Standing::Waits(Waits::Approval(approval)) = standing(team, task) else {
        return code;
    };
    let subject = team.approvals.get(&approval).map(|it| &it.subject);
    match subject {
        Some(team::Subject::Landing { .. }) if no_land => exit::DONE,
        Some(
            team::Subject::Landing { .. }
            | team::Subject::Edits { .. }
            | team::Subject::Commands { .. }
            | team::Subject::Plan { .. }
            | team::Subject::Stage { .. }
            | team::Subject::Setup { .. },
        )
        | None => code,
    }
}

/// The table, what to type next, and an orderly end of the hub.
async fn finish(
    hub: &Reach,
    follow: Follow<'_>,
    tasks: &[TaskId],
    code: Result<u8, Trouble>,
) -> Result<u8, Trouble> {
    if follow.tell == Tell::Lines && code.is_ok() {
        let team = hub.team();
        for task in tasks {
            let rows = steps::rows(*task, &follow.log, &team, follow.person.spent_ms());
            // One row is the sum alone: nothing happened here worth a table.
            if 1 < rows.len() {
                follow.screen.line("");
                follow.screen.table(&steps::HEAD, &rows);
            }
        }
    }
    if code.is_ok() {
        follow.point(tasks);
    }
    if matches!(code, Ok(exit::INTERRUPTED)) {
        follow.screen.note(format!("baton{} resume   goes on", follow.here.repo_option));
    }
    drop(follow);
    hub.close().await;
    code
}

pub async fn resume(screen: &Screen, here: &Here, asked: &args::Resume) -> Result<u8, Trouble> {
    let hub = here.reach(screen, here.config(screen).await?).await?;
    let person = Person::new(screen);
    let mut follow = Follow::new(&hub, here, screen, &person, tell(asked.json));
    let team = hub.team();
    let tasks = match asked.task {
        Some(task) => vec![task],
        None => team.open_tasks().map(|it| it.0).filter(|it| goes_on(&team, *it)).collect(),
    };
    for task in &tasks {
        if let Standing::Parked(_) = standing(&team, *task) {
            hub.send(Input::Retry { task: *task }).await.doing(format!("go on with {task}"))?;
        } else if team.task(*task).is_none() {
            let retried = hub.send(Input::Retry { task: *task }).await;
            retried.doing(format!("go on with {task}"))?;
        }
    }
    if tasks.is_empty() && !asked.json {
        screen.line("Nothing was under way. (baton board shows what waits)");
    }
    let code = follow.until_settled(&tasks).await;
    finish(&hub, follow, &tasks, code).await
}

/// What `resume` without a task takes up: what was under way, and what the person stopped.
fn goes_on(team: &Team, task: TaskId) -> bool {
    match standing(team, task) {
        Standing::Busy | Standing::Parked(Parked::Stopped) => true,
        Standing::Waits(_)
        | Standing::Parked(Parked::Failed(_) | Parked::NeedsPerson(_))
        | Standing::Closed(_) => false,
    }
}

/// What was typed after an approval's id, as an answer. Errors: wrong use, with what to type.
fn approval_answer(asked: &args::Answer) -> Result<Answer, Trouble> {
    let wrong = |text: &str| Err(Trouble::Wrong(text.to_owned()));
    let message = || asked.message.clone().unwrap_or_default();
    let [word] = asked.answer.as_slice() else {
        return wrong("an approval is answered by one word; a reason or comments go after -m");
    };
    let answer = match word.to_lowercase().as_str() {
        "approve" => Answer::Approve { ticked: asked.tick.clone() },
        "apply" => Answer::Apply,
        "rebuild" => Answer::Rebuild,
        "reject" => Answer::Reject { why: message() },
        "revise" if message().trim().is_empty() => {
            return wrong("say what shall be different: baton answer A1 revise -m \"...\"");
        }
        "revise" => Answer::Revise { text: message(), comments: vec![] },
        _ => {
            let word = safe(word);
            return Err(Trouble::Wrong(format!(
                "`{word}` is no answer; type approve, reject, revise, apply or rebuild"
            )));
        }
    };
    match &answer {
        Answer::Approve { .. } | Answer::ApproveSome { .. } => Ok(answer),
        Answer::Apply | Answer::Rebuild | Answer::Reject { .. } | Answer::Revise { .. }
            if asked.tick.is_empty() =>
        {
            Ok(answer)
        }
        Answer::Apply | Answer::Rebuild | Answer::Reject { .. } | Answer::Revise { .. } => {
            wrong("--tick belongs to approve")
        }
    }
}

pub async fn answer(screen: &Screen, here: &Here, asked: &args::Answer) -> Result<u8, Trouble> {
    let answer = match asked.asked {
        Asked::Approval(_) => Some(approval_answer(asked)?),
        Asked::Question(_) => None,
    };
    let hub = here.reach(screen, here.config(screen).await?).await?;
    let person = Person::new(screen);
    let mut follow = Follow::new(&hub, here, screen, &person, tell(asked.json));
    let task = match (asked.asked, answer) {
        (Asked::Approval(approval), Some(answer)) => {
            match only::narrow(&hub.team(), approval, answer, &asked.only) {
                Ok(answer) => put_approval(&hub, approval, answer).await,
                Err(trouble) => Err(trouble),
            }
        }
        (Asked::Approval(_), None) => Ok(None),
        (Asked::Question(question), _) => put_question(&hub, question, asked).await,
    };
    let task = match task {
        Ok(task) => task,
        Err(trouble) => {
            drop(follow);
            hub.close().await;
            return Err(trouble);
        }
    };
    let tasks: Vec<TaskId> = task.into_iter().collect();
    let code = follow.until_settled(&tasks).await;
    let code = code.map(|it| as_decided(&hub.team(), &tasks, it));
    finish(&hub, follow, &tasks, code).await
}

/// A task that was rejected, and commands that were not allowed, are what the person wanted.
fn as_decided(team: &Team, tasks: &[TaskId], code: u8) -> u8 {
    let ended = |it: &TaskId| {
        matches!(standing(team, *it), Standing::Closed(End::Rejected { .. } | End::Cancelled))
    };
    if tasks.iter().all(ended) { exit::DONE } else { code }
}

async fn put_approval(
    hub: &Reach,
    approval: ApprovalId,
    answer: Answer,
) -> Result<Option<TaskId>, Trouble> {
    let team = hub.team();
    let line = team::approval_line(&team, approval);
    let expected = line.as_ref().and_then(|it| it.change.clone());
    let by = By::Person { door: DOOR.to_owned() };
    let input = Input::Answer { approval, expected, answer, by };
    hub.send(input).await.doing(format!("answer {approval}"))?;
    Ok(line.map(|it| it.task))
}

async fn put_question(
    hub: &Reach,
    question: QuestionId,
    asked: &args::Answer,
) -> Result<Option<TaskId>, Trouble> {
    let team = hub.team();
    let it = team.questions.get(&question);
    let options = it.map(|it| it.ask.options.clone()).unwrap_or_default();
    let text = option_text(&asked.answer.join(" "), &options);
    let text = text.ok_or_else(|| Trouble::Wrong("the answer is empty".to_owned()))?;
    let by = By::Person { door: DOOR.to_owned() };
    let input = Input::AnswerQuestion { question, text, by };
    hub.send(input).await.doing(format!("answer {question}"))?;
    Ok(it.map(|it| it.task))
}

/// Puts one thing about one task to the hub, and follows it.
async fn about(
    screen: &Screen,
    here: &Here,
    json: bool,
    task: TaskId,
    doing: &str,
    input: Input,
    done: fn(&Standing) -> bool,
) -> Result<u8, Trouble> {
    let hub = here.reach(screen, here.config(screen).await?).await?;
    let person = Person::new(screen);
    let mut follow = Follow::new(&hub, here, screen, &person, tell(json));
    if let Err(trouble) = hub.send(input).await.doing(format!("{doing} {task}")) {
        drop(follow);
        hub.close().await;
        return Err(trouble);
    }
    let code = follow.until_settled(&[task]).await;
    let code = code.map(|it| if done(&standing(&hub.team(), task)) { exit::DONE } else { it });
    finish(&hub, follow, &[task], code).await
}

pub async fn undo(screen: &Screen, here: &Here, asked: &args::Undo) -> Result<u8, Trouble> {
    let (task, input) = (asked.task, Input::Undo { task: asked.task });
    let done = |it: &Standing| matches!(it, Standing::Closed(End::Undone { .. }));
    let code = about(screen, here, asked.json, task, "undo", input, done).await?;
    // Still landed: it was refused, and the log says why.
    let team = here.team("read the board")?;
    match standing(&team, task) {
        Standing::Closed(End::Landed { .. } | End::Applied { .. }) => Ok(exit::REFUSED),
        Standing::Closed(_) | Standing::Busy | Standing::Waits(_) | Standing::Parked(_) => Ok(code),
    }
}

pub async fn cancel(screen: &Screen, here: &Here, asked: &args::Cancel) -> Result<u8, Trouble> {
    let (task, input) = (asked.task, Input::Cancel { task: asked.task });
    let done = |it: &Standing| matches!(it, Standing::Closed(End::Cancelled));
    about(screen, here, asked.json, task, "cancel", input, done).await
}

pub async fn retry(screen: &Screen, here: &Here, asked: &args::Retry) -> Result<u8, Trouble> {
    let (task, input) = (asked.task, Input::Retry { task: asked.task });
    about(screen, here, asked.json, task, "go on with", input, |_| false).await
}

/// Words are kept at once; only a run under way is followed.
pub async fn say(screen: &Screen, here: &Here, asked: &args::Say) -> Result<u8, Trouble> {
    let task = asked.task;
    let text = brief_text(&asked.text, "baton say T1 \"what they should know\"")?;
    let by = By::Person { door: DOOR.to_owned() };
    let busy = standing(&here.team("read the board")?, task) == Standing::Busy;
    let done: fn(&Standing) -> bool = match busy {
        true => |_| false,
        false => |_| true,
    };
    let input = Input::Say { task, text, by };
    about(screen, here, asked.json, task, "say something about", input, done).await
}

pub async fn replay(screen: &Screen, here: &Here, asked: &args::Replay) -> Result<u8, Trouble> {
    let doing = format!("replay {}", asked.receipt);
    let hub = here.reach(screen, here.config(screen).await?).await?;
    if hub.team().receipt(asked.receipt).is_none() {
        hub.close().await;
        let failure = team::Failure::new(team::Code::Store, "there is no such receipt")
            .hint("baton task T1 lists those of a task");
        return Err(Trouble::Failed { doing, failure });
    }
    let replayed = hub.replay(asked.receipt).await;
    hub.close().await;
    let replayed = replayed.doing(&doing)?;
    if asked.json {
        print_json(screen, &replayed)?;
    } else {
        replayed.output.lines().for_each(|it| screen.line(safe(it)));
        let shade = if replayed.same { Shade::Good } else { Shade::Bad };
        let word = if replayed.same { "the same" } else { "not the same" };
        let text = format!("then: {}; now: {}: {word}", replayed.then, replayed.now);
        screen.line(screen.paint(shade, &format!("{} {text}", asked.receipt)));
    }
    Ok(if replayed.same { exit::DONE } else { exit::FAILED })
}

/// Only the folder goes to standard output, so that a shell can go there.
pub async fn checkout(screen: &Screen, here: &Here, asked: &args::Checkout) -> Result<u8, Trouble> {
    let hub = here.reach(screen, here.config(screen).await?).await?;
    let made = hub.checkout(asked.task).await;
    hub.close().await;
    let made = made.doing(format!("check out {}", asked.task))?;
    if asked.json {
        print_json(screen, &made)?;
    } else {
        screen.note(safe(&made.says));
        screen.line(made.path);
    }
    Ok(exit::DONE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(words: &[&str], tick: &[&str], message: Option<&str>) -> args::Answer {
        args::Answer {
            asked: Asked::Approval(ApprovalId(1)),
            answer: words.iter().map(|it| (*it).to_owned()).collect(),
            only: vec![],
            tick: tick.iter().map(|it| (*it).to_owned()).collect(),
            message: message.map(str::to_owned),
            json: false,
        }
    }

    #[test]
    fn only_the_five_words_answer_an_approval() {
        for wrong in [&["yes"][..], &["ok"], &["approve", "it"], &["y"], &[""]] {
            let trouble = approval_answer(&typed(wrong, &[], None)).unwrap_err();
            assert_eq!(trouble.code(), exit::WRONG_USE, "{wrong:?}");
        }
        let approve = approval_answer(&typed(&["approve"], &["build.rs"], None)).unwrap();
        assert_eq!(approve, Answer::Approve { ticked: vec!["build.rs".to_owned()] });
    }

    #[test]
    fn revise_needs_words_and_only_approve_takes_ticks() {
        assert!(approval_answer(&typed(&["revise"], &[], Some("  "))).is_err());
        assert!(approval_answer(&typed(&["reject"], &["x"], None)).is_err());
        let revise = approval_answer(&typed(&["revise"], &[], Some("shorter"))).unwrap();
        assert_eq!(revise, Answer::Revise { text: "shorter".into(), comments: vec![] });
    }

    #[test]
    fn an_empty_brief_is_wrong_use() {
        assert_eq!(brief_text(" \n", EXAMPLE).unwrap_err().code(), exit::WRONG_USE);
        assert_eq!(brief_text("it is broken", EXAMPLE).unwrap(), "it is broken");
    }
}
