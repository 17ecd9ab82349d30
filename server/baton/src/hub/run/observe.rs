//! What the server sees for itself of what a role hands over. A model names no head, and its word for
//! a path or a line is looked up before any gate hears of it.

use super::super::blocking;
use super::Course;
use crate::agent::Draft;
use crate::git;
use team::{Base, ChangeFacts, CommitId, Facts, Failure, Handoff, Notes, NotesFacts};

/// Lines of a citation are counted only in files up to this size.
const CITED_BYTES_MAX: usize = 4 << 20;

impl Course<'_> {
    /// The signal and the facts about it. The inner error is a sentence for the model.
    pub(super) async fn observe(
        &self,
        draft: Draft,
    ) -> Result<Result<(Handoff, Option<Facts>), String>, Failure> {
        Ok(Ok(match draft {
            Draft::Changed { summary, look_first, risks } => {
                let (head, facts) = self.change(&summary).await?;
                let handoff = Handoff::Changed { head, summary, look_first, risks };
                (handoff, Some(Facts::Change(facts)))
            }
            Draft::Designed { plan } => {
                let risk = self.desk.shared.team_file().await?.map(|it| it.risk);
                let risk = risk.unwrap_or_default();
                let (git, seen, paths) =
                    (self.desk.shared.git.clone(), self.base.seen.clone(), plan.paths.clone());
                let facts = blocking(move || git.reach(&seen, &paths, &risk)).await?;
                (Handoff::Designed { plan }, Some(Facts::Plan(facts)))
            }
            Draft::Announced { summary, nothing: true } => {
                if self.has_changes().await? {
                    return Ok(Err("you changed files: put them back, or hand over what you \
                                   wrote with `nothing` false"
                        .to_owned()));
                }
                (Handoff::Announced { notes: Notes::Nothing { why: summary } }, None)
            }
            Draft::Announced { summary, nothing: false } => {
                let (head, facts) = self.notes(&summary).await?;
                let notes = Notes::Written { head, summary };
                (Handoff::Announced { notes }, Some(Facts::Notes(facts)))
            }
            Draft::Answered { text, citations } => {
                let (git, seen, cited) =
                    (self.desk.shared.git.clone(), self.base.seen.clone(), citations.clone());
                let wrong = blocking(move || not_there(&git, &seen, &cited)).await?;
                (Handoff::Answered { text, citations }, Some(Facts::Citations { wrong }))
            }
            Draft::Triaged { class, severity, summary, criteria, or_class, is_visible } => (
                Handoff::Triaged { class, severity, summary, criteria, or_class, is_visible },
                None,
            ),
            Draft::Validated { verdict, head, receipts, notes } => {
                (Handoff::Validated { verdict, head, receipts, notes }, None)
            }
            Draft::Declined { why } => (Handoff::Declined { why }, None),
        }))
    }

    /// The Engineer's commit, S..H, measured by the plan where there is one.
    async fn change(&self, summary: &str) -> Result<(CommitId, ChangeFacts), Failure> {
        let head = self.commit(summary).await?;
        let task = self.desk.team.task(self.task);
        let paths = task.and_then(|it| it.design.as_ref()).map(|it| it.plan.paths.clone());
        let protected = self.desk.shared.team_file().await?.unwrap_or_default().protected;
        let (git, base, at) = (self.desk.shared.git.clone(), self.base.clone(), head.clone());
        let facts = blocking(move || {
            let mut facts = git.facts(&base, &at, &protected)?;
            if let Some(paths) = paths {
                let changed = facts.files.iter().map(|it| it.path.as_str());
                facts.outside = git::outside(&paths, changed)?;
            }
            Ok(facts)
        })
        .await?;
        Ok((head, facts))
    }

    /// Marketing's commit: S..H' for what lands, H..H' for what is its own.
    async fn notes(&self, summary: &str) -> Result<(CommitId, NotesFacts), Failure> {
        let head = self.commit(summary).await?;
        let protected = self.desk.shared.team_file().await?.unwrap_or_default().protected;
        let (git, base, on) = (self.desk.shared.git.clone(), self.base.clone(), self.on.clone());
        let at = head.clone();
        let facts = blocking(move || {
            let mut change = git.facts(&base, &at, &protected)?;
            let own = git.facts(&Base { seen: on, ..base }, &at, &protected)?;
            change.descends &= own.descends;
            change.protected.extend(own.protected);
            Ok(NotesFacts { change, files: own.files })
        })
        .await?;
        Ok((head, facts))
    }

    async fn has_changes(&self) -> Result<bool, Failure> {
        let (git, slot, on) = (self.desk.shared.git.clone(), self.slot.clone(), self.on.clone());
        blocking(move || Ok(git.tree_of(&slot)? != git.tree(&on)?)).await
    }
}

/// The citations that name no line of this commit, each with the reason.
fn not_there(git: &git::Git, at: &CommitId, citations: &[String]) -> Result<Vec<String>, Failure> {
    let mut res = vec![];
    for it in citations {
        let Some((path, last)) = place(it) else {
            res.push(format!("`{it}` is no `path:line`"));
            continue;
        };
        match git.read(at, path)? {
            None => res.push(format!("there is no file `{path}`")),
            Some(bytes) if CITED_BYTES_MAX < bytes.len() => {}
            Some(bytes) => {
                let lines = String::from_utf8_lossy(&bytes).lines().count();
                if lines < last {
                    res.push(format!("`{path}` has {lines} lines, not {last}"));
                }
            }
        }
    }
    Ok(res)
}

/// `src/a.rs:10`, `src/a.rs:10-20`, `src/a.rs:10:4`: the path and the last line.
fn place(citation: &str) -> Option<(&str, usize)> {
    let (path, rest) = citation.trim().trim_matches('`').split_once(':')?;
    let lines = rest.split([':', ' ']).next().unwrap_or_default();
    let (first, last) = lines.split_once('-').unwrap_or((lines, lines));
    let (first, last): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
    let path = path.trim_start_matches("./");
    (!path.is_empty() && 0 < first && first <= last).then_some((path, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_citation_names_a_file_and_lines() {
        assert_eq!(place("src/a.rs:10"), Some(("src/a.rs", 10)));
        assert_eq!(place(" `./src/a.rs:10-20` "), Some(("src/a.rs", 20)));
        assert_eq!(place("src/a.rs:10:4"), Some(("src/a.rs", 10)));
        assert_eq!(place("src/a.rs:7 (the cap)"), Some(("src/a.rs", 7)));
        for it in ["src/a.rs", "src/a.rs:", "src/a.rs:0", "src/a.rs:9-3", ":4", "", "see above"] {
            assert_eq!(place(it), None, "{it}");
        }
    }
}
