//! Plans a landing: the exact bytes before and after, for every path, saved in the store before
//! anything of the user's is touched.

use super::objects::{Objects, baton};
use super::review::between;
use super::survey::{Side, Wish};
use super::{Buffer, Doing, Git, Planned, oid};
use git2::{Delta, Oid};
use team::{Base, Candidate, Failure, PlannedPath, Target};

impl Git {
    /// What a landing of this candidate would do to the user's files, as they are now. `ticked`: the
    /// paths where a merge into the user's text is wanted. `unsaved`: what editors hold.
    pub fn plan_landing(
        &self,
        base: &Base,
        candidate: &Candidate,
        ticked: &[String],
        unsaved: &[Buffer],
    ) -> Result<Planned, Failure> {
        let target = match &base.target {
            Target::NewBranch(_) => return Ok(Planned::Plan(Vec::new())),
            Target::Branch(target) => target,
        };
        let objects = self.objects()?;
        let (tip, to) = (oid(&candidate.tip.0)?, oid(&candidate.commit.0)?);
        match self.user()?.refname_to_id(target) {
            Ok(now) if now == tip => {}
            Ok(_) => return Ok(Planned::TipMoved),
            Err(_) => return Ok(Planned::Refused(gone(target))),
        }
        let grounds = match self.grounds(&objects, target)? {
            Ok(grounds) => grounds,
            Err(why) => return Ok(Planned::Refused(why)),
        };
        let wishes = wishes(&objects, tip, to)?;
        let survey = self.survey(&objects, &grounds, &wishes, unsaved)?;
        if !survey.blocked.is_empty() {
            return Ok(Planned::Refused(survey.blocked.join("; ")));
        }
        let open: Vec<String> = survey
            .merges
            .iter()
            .filter(|it| !ticked.contains(it))
            .map(|it| format!("`{it}`"))
            .collect();
        if !open.is_empty() {
            let text =
                format!("{} has your own edits: tick it to merge into them", open.join(", "));
            return Ok(Planned::Refused(text));
        }
        keep_plan(&objects, &format!("refs/baton/plans/{to}"), &survey.plan)?;
        Ok(Planned::Plan(survey.plan))
    }
}

pub(super) fn gone(target: &str) -> String {
    let branch = target.strip_prefix("refs/heads/").unwrap_or(target);
    format!("the branch `{branch}` is gone")
}

/// The paths that differ between two commits of the store.
pub(super) fn wishes(objects: &Objects, from: Oid, to: Oid) -> Result<Vec<Wish>, Failure> {
    let diff = between(&objects.repo, objects.tree_of(from)?, objects.tree_of(to)?)?;
    let mut found = Vec::new();
    for delta in diff.deltas() {
        let (old, new) = (delta.old_file(), delta.new_file());
        let side = |it: &git2::DiffFile<'_>| Side { mode: u32::from(it.mode()), id: it.id() };
        let (from, to) = match delta.status() {
            Delta::Added => (None, Some(side(&new))),
            Delta::Deleted => (Some(side(&old)), None),
            _ => (Some(side(&old)), Some(side(&new))),
        };
        let path = new.path_bytes().unwrap_or_default().to_vec();
        found.push(Wish { path, from, to });
    }
    Ok(found)
}

/// Makes a ref reach every blob of a plan.
pub(super) fn keep_plan(
    objects: &Objects,
    name: &str,
    plan: &[PlannedPath],
) -> Result<(), Failure> {
    let repo = &objects.repo;
    let mut builder = repo.treebuilder(None).doing("save the plan")?;
    for (n, path) in plan.iter().enumerate() {
        for (word, blob) in [("before", &path.before), ("after", &path.after)] {
            if let Some(blob) = blob {
                builder
                    .insert(format!("{n}-{word}"), oid(blob)?, 0o100_644)
                    .doing("save the plan")?;
            }
        }
    }
    let tree = builder.write().doing("save the plan")?;
    objects.keep(None, tree)?;
    let commit = objects.commit(&baton("Baton")?, "plan", tree, &[])?;
    objects.point(name, commit)
}
