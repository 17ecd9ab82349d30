//! The command line's door. What may be typed is in `args`; `read` holds the commands that only look,
//! `act` those that act; `open` turns what went wrong into an exit code and one sentence.

mod act;
mod approve;
mod args;
mod bench;
mod confine;
mod daemon;
mod demo;
mod doctor;
mod explain;
mod follow;
mod narrate;
mod only;
mod open;
mod person;
mod reach;
mod read;
mod remote;
mod report;
mod screen;
mod setup;
mod stage;
mod steps;
mod tools;
mod trust;

use args::{Command, DaemonWhat, Typed};
use clap::{CommandFactory, Parser, error::ErrorKind};
use open::{Here, Trouble, exit};
use screen::{Screen, safe};
use std::ffi::OsString;
use team::{Code, Failure};

/// What `main` has to do.
pub enum Asked {
    /// Leave with this exit code.
    Exit(u8),
    /// Serve an editor on standard input and output, in this process.
    Serve,
    /// Pass an editor on to the daemon.
    Proxy,
    /// Be the daemon.
    Daemon,
}

/// Does what was typed; the first argument is the program's name. Only the language server and
/// the daemon are left to the caller: the doors don't know each other.
pub fn perform(arguments: impl Iterator<Item = OsString>) -> Asked {
    say_what_broke();
    let arguments: Vec<OsString> = arguments.collect();
    // What editors start, and wait for: the table of all commands is not made for it.
    let is_lsp = arguments.get(1..).is_some_and(|it| it == ["lsp"] || it == ["lsp", "--stdio"]);
    if is_lsp && std::env::var_os("BATON_IN_PROCESS").is_none() {
        return Asked::Proxy;
    }
    let typed = match Typed::try_parse_from(arguments) {
        Ok(typed) => typed,
        Err(error) => return Asked::Exit(not_understood(&error)),
    };
    let Some(command) = typed.command else {
        return Asked::Exit(print_help());
    };
    if let Command::Lsp(_) = &command {
        return if typed.global.in_process { Asked::Serve } else { Asked::Proxy };
    }
    if let Command::Daemon(args::Daemon { what: DaemonWhat::Serve, .. }) = &command {
        return Asked::Daemon;
    }
    let screen = Screen::new(&typed.global);
    Asked::Exit(in_runtime(&screen, &typed.global, &command))
}

/// The help of every command, for `docs/cli.md`.
pub fn help_pages() -> Vec<(String, String)> {
    let mut all = Typed::command().term_width(100);
    all.build();
    let mut pages = vec![("baton".to_owned(), all.render_long_help().to_string())];
    for command in all.get_subcommands_mut().filter(|it| !it.is_hide_set()) {
        let name = format!("baton {}", command.get_name());
        pages.push((name, command.render_long_help().to_string()));
    }
    pages
}

fn in_runtime(screen: &Screen, global: &args::Global, command: &Command) -> u8 {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let failure = Failure::new(Code::Command, error.to_string());
            return complain(&Trouble::Failed { doing: "start".to_owned(), failure });
        }
    };
    let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        runtime.block_on(dispatch(screen, global, command))
    }));
    // A blocked read of the terminal or a slow check must not hold up the end.
    runtime.shutdown_background();
    match done {
        Ok(Ok(code)) => code,
        Ok(Err(trouble)) => complain(&trouble),
        // The hook has said it.
        Err(_) => exit::BUG,
    }
}

async fn dispatch(
    screen: &Screen,
    global: &args::Global,
    command: &Command,
) -> Result<u8, Trouble> {
    let here = || Here::find(global);
    match command {
        Command::Demo(it) => demo::demo(screen, it).await,
        Command::Run(it) => act::run(screen, &here()?, it).await,
        Command::Resume(it) => act::resume(screen, &here()?, it).await,
        Command::Board(it) => read::board(screen, &here()?, it),
        Command::Task(it) => read::task(screen, &here()?, it),
        Command::Diff(it) => read::diff(screen, &here()?, it),
        Command::Checkout(it) => act::checkout(screen, &here()?, it).await,
        Command::Explain(it) => explain::explain(screen, &here()?, it),
        Command::Answer(it) => act::answer(screen, &here()?, it).await,
        Command::Undo(it) => act::undo(screen, &here()?, it).await,
        Command::Cancel(it) => act::cancel(screen, &here()?, it).await,
        Command::Retry(it) => act::retry(screen, &here()?, it).await,
        Command::Say(it) => act::say(screen, &here()?, it).await,
        Command::Replay(it) => act::replay(screen, &here()?, it).await,
        Command::Report(it) => report::report(screen, &here()?, it),
        Command::Memory(it) => report::memory(screen, &here()?, it).await,
        Command::Log(it) => read::log(screen, &here()?, it),
        Command::Trust(it) => trust::trust(screen, global, it).await,
        Command::Init(it) => setup::init(screen, &here()?, it),
        Command::Completions(it) => setup::completions(screen, it),
        Command::Man(it) => setup::man(screen, it),
        Command::Doctor(it) => doctor::doctor(screen, global, it).await,
        Command::Tools(it) => tools::tools(screen, it),
        Command::Bench(it) => bench::bench(screen, it).await,
        Command::Sandbox(it) => confine::sandbox(screen, global, it).await,
        Command::Status(it) => read::status(screen, &here()?, it),
        Command::Daemon(it) => daemon::daemon(screen, it).await,
        // `perform` has handed it to the caller.
        Command::Lsp(_) => Ok(exit::DONE),
    }
}

fn complain(trouble: &Trouble) -> u8 {
    write_error(&format!("{}\n", trouble.sentence()));
    trouble.code()
}

fn write_error(text: &str) {
    use std::io::Write;
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// Plain `baton`, and so plain `cargo run`, says what there is.
fn print_help() -> u8 {
    let _ = Typed::command().print_help();
    exit::DONE
}

/// Help and version were asked for; anything else is wrong use.
fn not_understood(error: &clap::Error) -> u8 {
    let _ = error.print();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => exit::DONE,
        _ => exit::WRONG_USE,
    }
}

/// A panic is a bug of ours: one short message instead of a trace.
fn say_what_broke() {
    std::panic::set_hook(Box::new(|info| {
        let text = info.payload_as_str().unwrap_or("no message");
        let place = info.location().map(|it| format!(" ({}:{})", it.file(), it.line()));
        let place = place.unwrap_or_default();
        write_error(&format!(
            "baton: a bug in Baton: {}{place}; what was done is kept, baton resume goes on\n",
            safe(text)
        ));
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definitions_are_sound() {
        Typed::command().debug_assert();
    }

    #[test]
    fn every_command_has_an_example_and_every_listing_speaks_json() {
        let pages = help_pages();
        for (name, page) in &pages {
            assert!(page.contains("Example") || name == "baton", "{name} has no example");
            let prints = ["baton completions", "baton man"].contains(&name.as_str());
            let acts =
                ["baton", "baton demo", "baton sandbox", "baton lsp"].contains(&name.as_str());
            assert!(acts || prints || page.contains("--json"), "{name} has no --json");
        }
        assert_eq!(pages.len(), 29);
    }
}
