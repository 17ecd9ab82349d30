//! L, the candidate: one parent, the target's tip; its tree is the three-way merge of the agents'
//! work from what the person saw. So it holds the agents' part alone.

use super::acting::{Risk, acts, collisions};
use super::objects::Objects;
use super::review::{between, change_id, changes, touch};
use super::{Built, Doing, Git, commit_id, oid, tree_id};
use git2::{Oid, Repository, Signature};
use std::path::Path;
use team::{Base, Candidate, Code, CommitId, Failure, Target, TaskId};

/// Hooks that git would run for a commit or a merge.
const HOOKS: [&str; 8] = [
    "pre-commit",
    "prepare-commit-msg",
    "commit-msg",
    "post-commit",
    "pre-merge-commit",
    "post-merge",
    "reference-transaction",
    "post-index-change",
];

impl Git {
    /// Builds L on the target's present tip. `message`: title, body and trailers.
    pub fn candidate(
        &self,
        task: TaskId,
        base: &Base,
        head: &CommitId,
        message: &str,
        risk_globs: &[String],
    ) -> Result<Built, Failure> {
        let objects = self.objects()?;
        let user = self.user()?;
        let who = identity(&user)?;
        let tip = match &base.target {
            Target::NewBranch(_) => oid(&base.base.0)?,
            Target::Branch(name) => user.refname_to_id(name).map_err(|_| {
                Failure::new(Code::Git, format!("build the candidate: {}", super::plan::gone(name)))
                    .hint("make the branch again, or apply the change as edits")
            })?,
        };
        let (seen, head) = (oid(&base.seen.0)?, oid(&head.0)?);
        let find = |it: Oid| objects.repo.find_tree(objects.tree_of(it)?).doing("read a tree");
        let mut merged = objects
            .repo
            .merge_trees(&find(seen)?, &find(tip)?, &find(head)?, None)
            .doing("merge the change")?;
        if merged.has_conflicts() {
            let paths = conflicts(&merged)?;
            return Ok(Built::Conflict { tip: commit_id(tip), paths });
        }
        let tree = merged.write_tree_to(&objects.repo).doing("write a tree")?;
        let tip_tree = objects.tree_of(tip)?;
        objects.keep(Some(tip_tree), tree)?;
        let commit = objects.commit(&who, message, tree, &[tip])?;
        objects.point(&format!("refs/baton/candidates/{task}"), commit)?;
        let mut candidate = describe(&objects, tip, commit, head, risk_globs)?;
        candidate.notes = self.notes();
        self.look_ahead(&objects, base, &mut candidate)?;
        Ok(Built::Candidate(candidate))
    }

    /// What of the user's would be merged into, and what stands in the way, as things are now.
    fn look_ahead(
        &self,
        objects: &Objects,
        base: &Base,
        candidate: &mut Candidate,
    ) -> Result<(), Failure> {
        let Target::Branch(target) = &base.target else {
            return Ok(());
        };
        match self.grounds(objects, target)? {
            Err(why) => candidate.blocked.push(why),
            Ok(grounds) => {
                let (tip, to) = (oid(&candidate.tip.0)?, oid(&candidate.commit.0)?);
                let wishes = super::plan::wishes(objects, tip, to)?;
                let survey = self.survey(objects, &grounds, &wishes, &[])?;
                candidate.merges = survey.merges;
                candidate.blocked = survey.blocked;
            }
        }
        Ok(())
    }

    /// What the person should know before a landing: hooks that will not run, a commit that will not
    /// be signed.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let Ok(user) = self.user() else { return notes };
        let Ok(config) = user.config() else {
            return notes;
        };
        let dir = match config.get_path("core.hookspath") {
            Ok(path) => self.place.root.join(path),
            Err(_) => self.place.common_dir.join("hooks"),
        };
        let runs = |it: &&str| is_program(&dir.join(it));
        let hooks: Vec<&str> = HOOKS.iter().copied().filter(|it| runs(it)).collect();
        if !hooks.is_empty() {
            notes.push(format!("your git hooks will not run: {}", hooks.join(", ")));
        }
        if config.get_bool("commit.gpgsign").unwrap_or(false) {
            notes.push("the commit will not be signed, though commit.gpgsign is set".into());
        }
        notes
    }
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|it| it.is_file() && it.permissions().mode() & 0o111 != 0)
}

/// Author and committer of L.
pub(super) fn identity(user: &Repository) -> Result<Signature<'static>, Failure> {
    user.signature().map_err(|_| {
        Failure::new(Code::Git, "build the candidate: git does not know who you are").hint(
            "git config --global user.name \"Your Name\"\n\
             git config --global user.email you@example.com",
        )
    })
}

pub(super) fn conflicts(index: &git2::Index) -> Result<Vec<String>, Failure> {
    let mut paths = Vec::new();
    for conflict in index.conflicts().doing("read the conflicts")? {
        let conflict = conflict.doing("read the conflicts")?;
        let side = conflict.our.or(conflict.their).or(conflict.ancestor);
        if let Some(side) = side {
            paths.push(String::from_utf8_lossy(&side.path).into_owned());
        }
    }
    paths.sort();
    paths.dedup();
    Ok(paths)
}

/// The candidate with everything that follows from its trees.
pub(super) fn describe(
    objects: &Objects,
    tip: Oid,
    commit: Oid,
    head: Oid,
    risk_globs: &[String],
) -> Result<Candidate, Failure> {
    let repo = &objects.repo;
    let tree = objects.tree_of(commit)?;
    let diff = between(repo, objects.tree_of(tip)?, tree)?;
    let files = changes(&diff)?;
    let mut acting = Vec::new();
    for delta in diff.deltas() {
        let touched = touch(objects, &delta, None)?;
        if acts(&touched) {
            acting.push(String::from_utf8_lossy(touched.path).into_owned());
        }
    }
    let new: Vec<Vec<u8>> = diff
        .deltas()
        .filter(|it| it.status() == git2::Delta::Added)
        .filter_map(|it| it.new_file().path_bytes().map(<[u8]>::to_vec))
        .collect();
    if !new.is_empty() {
        let mut index = git2::Index::new().doing("read a tree")?;
        index.read_tree(&repo.find_tree(tree).doing("read a tree")?).doing("read a tree")?;
        let all = index.iter().map(|it| it.path);
        let twins = collisions(all, new.iter().map(Vec::as_slice));
        acting.extend(twins.iter().map(|it| String::from_utf8_lossy(it).into_owned()));
    }
    acting.sort();
    acting.dedup();
    let risk = Risk::new(risk_globs)?;
    let dear = files.iter().map(|it| it.path.clone()).filter(|it| risk.is_dear(it)).collect();
    Ok(Candidate {
        commit: commit_id(commit),
        tree: tree_id(tree),
        tip: commit_id(tip),
        head: commit_id(head),
        change: change_id(&diff)?,
        files,
        hunks: super::hunks::offered(objects, objects.tree_of(tip)?, tree)?,
        acts: acting,
        risk: dear,
        merges: Vec::new(),
        blocked: Vec::new(),
        notes: Vec::new(),
    })
}
