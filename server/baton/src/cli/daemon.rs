//! `baton daemon`: start it, stop it, look at it.

use super::args::{self, DaemonWhat};
use super::open::{Doing, Trouble, exit};
use super::read::print_json;
use super::screen::{Screen, safe};
use crate::config::Home;
use crate::protocol::{Wants, Welcome};
use crate::socket::{IfNone, call};

pub async fn daemon(screen: &Screen, asked: &args::Daemon) -> Result<u8, Trouble> {
    let home = Home::from_env().doing("find your configuration")?;
    let (wants, if_none, doing) = match asked.what {
        DaemonWhat::Start => (Wants::Status, IfNone::Start, "start the daemon"),
        DaemonWhat::Stop => (Wants::Stop, IfNone::Leave, "stop the daemon"),
        // `perform` has handed the last one to the caller.
        DaemonWhat::Status | DaemonWhat::Serve => {
            (Wants::Status, IfNone::Leave, "look at the daemon")
        }
    };
    let line = call(&home, wants, if_none).await.doing(doing)?;
    let welcome = line.map(|it| it.welcome);
    if asked.json {
        print_json(screen, &welcome)?;
    } else {
        tell(screen, asked.what, welcome.as_ref());
    }
    // Whoever asks for the status of none gets a code to go by.
    let is_there = welcome.is_some() || asked.what == DaemonWhat::Stop;
    Ok(if is_there { exit::DONE } else { exit::FAILED })
}

fn tell(screen: &Screen, what: DaemonWhat, welcome: Option<&Welcome>) {
    let Some(it) = welcome else {
        screen.line("No daemon runs.");
        return;
    };
    let status = &it.status;
    if what == DaemonWhat::Stop {
        screen.line(format!("The daemon has ended (it was process {}).", it.pid));
    } else {
        let (version, pid) = (safe(&it.version), it.pid);
        let connections = status.connections;
        screen.line(format!("baton {version}, process {pid}, {connections} other connections"));
    }
    for repository in &status.repositories {
        screen.line(format!(
            "  {:<32} {} under way, {} waiting for you",
            safe(&repository.repository),
            repository.under_way,
            repository.waiting
        ));
    }
}
