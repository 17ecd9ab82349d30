//! What may be typed to set Baton up: a repository's file, a shell's completions, the manual.

use clap::Args;
use clap_complete::Shell;

/// Write a commented .baton/team.toml for this repository
#[derive(Clone, Debug, Args)]
#[command(
    long_about = "Write a commented `.baton/team.toml` for this repository from what is found in \
it, and show it.\n\nA file that is there already is never changed. The new one changes nothing by \
itself: what is found is found without it too, and every setting in it is a comment until you take \
the `#` away. Whatever it says acts only after `baton trust`.",
    after_help = "Examples:
  baton init               write it and show it
  baton init --dry-run     only show it
  baton init --json        what was found, and where the file is"
)]
pub struct Init {
    /// Show what would be written, and write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// Print a shell's completions
#[derive(Clone, Debug, Args)]
#[command(
    long_about = "Print completions of Baton's commands and options for a shell, to be put where \
that shell looks for them.",
    after_help = "Examples:
  baton completions bash > ~/.local/share/bash-completion/completions/baton
  baton completions zsh > ~/.zfunc/_baton
  baton completions fish > ~/.config/fish/completions/baton.fish"
)]
pub struct Completions {
    #[arg(value_name = "SHELL")]
    pub shell: Shell,
}

/// Print the manual page
#[derive(Clone, Debug, Args)]
#[command(
    long_about = "Print the manual page of Baton, or of one of its commands, in roff.",
    after_help = "Examples:
  baton man | man -l -
  baton man answer | man -l -
  baton man > ~/.local/share/man/man1/baton.1"
)]
pub struct Man {
    /// The page of this command instead of the whole program's
    #[arg(value_name = "COMMAND")]
    pub command: Option<String>,
}
