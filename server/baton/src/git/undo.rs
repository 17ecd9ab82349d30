//! Takes a landing back: the plan backwards while nothing was committed on top, else the inverse as
//! a commit on the tip.

use super::candidate::identity;
use super::edits::reverse;
use super::land::Step;
use super::objects::Objects;
use super::plan::{gone, keep_plan, wishes};
use super::survey::{Ground, Wish, outside};
use super::{Doing, Git, Moved, Undo, commit_id, oid};
use crate::fail;
use git2::{Oid, Repository};
use std::cell::RefCell;
use team::{Base, Candidate, Failure, PlannedPath, Target, TaskId};

impl Git {
    /// Takes the landing of this candidate back. Called again after a crash, it finishes.
    pub fn undo_landing(
        &self,
        task: TaskId,
        base: &Base,
        candidate: &Candidate,
        plan: &[PlannedPath],
    ) -> Result<Undo, Failure> {
        let objects = self.objects()?;
        let user = self.user()?;
        let (before, landed) = (oid(&candidate.tip.0)?, oid(&candidate.commit.0)?);
        let target = base.target.reference();
        let Ok(tip) = user.refname_to_id(target) else {
            // A branch that Baton made and that is gone is taken back.
            return Ok(match &base.target {
                Target::NewBranch(_) => Undo::Back,
                Target::Branch(name) => Undo::Refused(gone(name)),
            });
        };
        if let Target::NewBranch(name) = &base.target {
            return remove_branch(&user, name, tip, landed);
        }
        if tip == landed || tip == before {
            return self.step_back(&objects, task, target, (landed, before), plan);
        }
        self.land_inverse(&objects, &user, task, target, tip, (landed, before))
    }

    fn step_back(
        &self,
        objects: &Objects,
        task: TaskId,
        target: &str,
        (landed, before): (Oid, Oid),
        plan: &[PlannedPath],
    ) -> Result<Undo, Failure> {
        // Landed while no worktree had the branch: the plan follows from the two commits.
        let derived = match plan {
            [] => self.plain_plan(objects, target, &wishes(objects, before, landed)?)?,
            _ => Vec::new(),
        };
        let plan = if plan.is_empty() { &derived } else { plan };
        let wishes = wishes(objects, landed, before)?;
        let log = format!("baton: undo {task}");
        let grounds = match self.grounds(objects, target)? {
            Ok(grounds) => grounds,
            Err(why) => return Ok(Undo::Refused(why)),
        };
        let back = match backwards(objects, &grounds, plan, &wishes)? {
            Ok(back) => back,
            Err(why) => return Ok(Undo::Refused(why)),
        };
        keep_plan(objects, &format!("refs/baton/plans/undo-{task}"), &back)?;
        let step = Step { target, from: landed, to: before, plan: &back, log };
        let moved = self.carry_out(objects, &step, &|grounds| {
            for ground in grounds {
                if let Some(why) = staged(ground, &wishes) {
                    return Ok(Some(why));
                }
            }
            let now = backwards(objects, grounds, plan, &wishes)?;
            Ok((now.as_ref() != Ok(&back)).then(|| "your files changed just now".to_string()))
        })?;
        Ok(match moved {
            Moved::Done => Undo::Back,
            Moved::TipMoved => Undo::Refused("the branch moved just now: try again".into()),
            Moved::Refused(why) => Undo::Refused(why),
        })
    }

    /// A commit on the tip that takes out what the landing brought in.
    fn land_inverse(
        &self,
        objects: &Objects,
        user: &Repository,
        task: TaskId,
        target: &str,
        tip: Oid,
        (landed, before): (Oid, Oid),
    ) -> Result<Undo, Failure> {
        let name = format!("refs/baton/undo/{task}");
        let cut_off = objects.target(&name).filter(|it| *it == tip);
        let (from, inverse) = match cut_off {
            Some(inverse) => (parent(objects, inverse)?, inverse),
            None => match self.inverse(objects, user, task, tip, (landed, before))? {
                Ok(inverse) => (tip, inverse),
                Err(why) => return Ok(Undo::Refused(why)),
            },
        };
        objects.point(&name, inverse)?;
        let wishes = wishes(objects, from, inverse)?;
        // After a crash the plan can't be made from the files again; it follows from the two commits,
        // since an inverse is only landed where files are as committed.
        let plan = match cut_off {
            Some(_) => self.plain_plan(objects, target, &wishes)?,
            None => match self.clean_plan(objects, target, &wishes)? {
                Ok(plan) => plan,
                Err(why) => return Ok(Undo::Refused(why)),
            },
        };
        let log = format!("baton: undo {task}");
        let step = Step { target, from, to: inverse, plan: &plan, log };
        let why = RefCell::new(None);
        let moved = self.carry_out(objects, &step, &|grounds| {
            let now = self.survey(objects, grounds, &wishes, &[])?;
            if now.plan != plan || !now.merges.is_empty() {
                *why.borrow_mut() = now.blocked.first().cloned();
                let text = "your files changed just now".to_string();
                return Ok(Some(why.borrow().clone().unwrap_or(text)));
            }
            Ok(None)
        })?;
        Ok(match moved {
            Moved::Done => Undo::Inverse(commit_id(inverse)),
            Moved::TipMoved => Undo::Refused("the branch moved just now: try again".into()),
            Moved::Refused(why) => Undo::Refused(why),
        })
    }

    fn inverse(
        &self,
        objects: &Objects,
        user: &Repository,
        task: TaskId,
        tip: Oid,
        (landed, before): (Oid, Oid),
    ) -> Result<Result<Oid, String>, Failure> {
        let find = |it: Oid| objects.repo.find_tree(objects.tree_of(it)?).doing("read a tree");
        let mut merged = objects
            .repo
            .merge_trees(&find(landed)?, &find(tip)?, &find(before)?, None)
            .doing("merge the inverse")?;
        if merged.has_conflicts() {
            let text = "what was committed since conflicts with taking it back: use git revert";
            return Ok(Err(text.into()));
        }
        let tree = merged.write_tree_to(&objects.repo).doing("write a tree")?;
        let tip_tree = objects.tree_of(tip)?;
        if tree == tip_tree {
            return Ok(Err("the branch does not hold the change any more".into()));
        }
        objects.keep(Some(tip_tree), tree)?;
        let title = objects.repo.find_commit(landed).doing("read a commit")?;
        let title = title.summary().ok().flatten().unwrap_or_default().to_string();
        let message =
            format!("Undo {task}: {title}\n\nThis takes back {landed}.\n\nBaton-Undo: {task}\n");
        Ok(Ok(objects.commit(&identity(user)?, &message, tree, &[tip])?))
    }

    fn clean_plan(
        &self,
        objects: &Objects,
        target: &str,
        wishes: &[Wish],
    ) -> Result<Result<Vec<PlannedPath>, String>, Failure> {
        let grounds = match self.grounds(objects, target)? {
            Ok(grounds) => grounds,
            Err(why) => return Ok(Err(why)),
        };
        let survey = self.survey(objects, &grounds, wishes, &[])?;
        if let Some(why) = survey.blocked.into_iter().next() {
            return Ok(Err(why));
        }
        if let Some(path) = survey.merges.first() {
            return Ok(Err(format!("`{path}` has your own edits: commit or stash them")));
        }
        Ok(Ok(survey.plan))
    }

    fn plain_plan(
        &self,
        objects: &Objects,
        target: &str,
        wishes: &[Wish],
    ) -> Result<Vec<PlannedPath>, Failure> {
        let Ok(grounds) = self.grounds(objects, target)? else {
            return Ok(Vec::new());
        };
        let Some(ground) = grounds.first() else {
            return Ok(Vec::new());
        };
        let index = ground.git_dir.join("index");
        let lens = super::lens::Lens::new(self, &ground.repo, objects, &index)?;
        let blob = |path: &[u8], side: Option<super::survey::Side>| {
            side.map(|it| -> Result<String, Failure> {
                let bytes = lens.smudge_one(path, it.mode, it.id)?;
                Ok(objects.put(git2::ObjectType::Blob, &bytes)?.to_string())
            })
            .transpose()
        };
        let mut plan = Vec::new();
        for wish in wishes {
            let name = String::from_utf8_lossy(&wish.path).into_owned();
            if ground.is_outside(wish) {
                plan.push(outside(&name, wish));
                continue;
            }
            plan.push(PlannedPath {
                path: name,
                mode: wish.to.map_or(0, |it| it.mode),
                mode_before: wish.from.map_or(0, |it| it.mode),
                before: blob(&wish.path, wish.from)?,
                after: blob(&wish.path, wish.to)?,
                index: wish.to.map(|it| it.id.to_string()),
                buffer: false,
            });
        }
        Ok(plan)
    }
}

fn parent(objects: &Objects, commit: Oid) -> Result<Oid, Failure> {
    let commit = objects.repo.find_commit(commit).doing("read a commit")?;
    commit.parent_id(0).doing("read a commit")
}

fn staged(ground: &Ground, wishes: &[Wish]) -> Option<String> {
    wishes.iter().find_map(|it| {
        let name = String::from_utf8_lossy(&it.path).into_owned();
        ground.why_staged(&it.path, &name, it.from)
    })
}

/// The landing's plan backwards, onto what the files hold now; or why it can't be.
fn backwards(
    objects: &Objects,
    grounds: &[Ground],
    plan: &[PlannedPath],
    wishes: &[Wish],
) -> Result<Result<Vec<PlannedPath>, String>, Failure> {
    let mut back: Option<Vec<PlannedPath>> = None;
    for ground in grounds {
        let mut found = Vec::new();
        for path in plan {
            let was_outside = path.after.is_none() && path.index.is_some();
            if was_outside && ground.is_there(path.path.as_bytes()) {
                let text = "was outside of your sparse checkout when it landed, and is inside now: \
                            use git revert";
                return Ok(Err(format!("`{}` {text}", path.path)));
            }
            let Some(mut reversed) = reverse(objects, &ground.folder, path, None)? else {
                return Ok(Err(format!("`{}` was edited in the same lines since", path.path)));
            };
            let wish = wishes.iter().find(|it| it.path == path.path.as_bytes());
            let to = wish.and_then(|it| it.to);
            reversed.index = to.map(|it| it.id.to_string());
            found.push(reversed);
        }
        if back.as_ref().is_some_and(|it| *it != found) {
            let text = "two worktrees have the branch and their files differ: \
                        switch one of them to another";
            return Ok(Err(text.into()));
        }
        back = Some(found);
    }
    Ok(Ok(back.unwrap_or_default()))
}

fn remove_branch(user: &Repository, name: &str, tip: Oid, landed: Oid) -> Result<Undo, Failure> {
    if tip != landed {
        let branch = name.strip_prefix("refs/heads/").unwrap_or(name);
        let text = format!("something was committed on `{branch}`: delete it yourself");
        return Ok(Undo::Refused(text));
    }
    let mut branch = user.find_reference(name).doing("find the branch")?;
    fail::point("git.swap");
    branch.delete().doing("delete the branch")?;
    fail::point("git.swap.done");
    Ok(Undo::Back)
}
