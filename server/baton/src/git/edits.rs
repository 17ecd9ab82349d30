//! Applies the agents' work as edits: the three-way result into files (and, by the hub, into
//! editors' buffers). Nothing is committed, no index and no branch is touched.

use super::files::{Folder, MODE_LINK, OnDisk};
use super::lens::Lens;
use super::objects::Objects;
use super::plan::{keep_plan, wishes};
use super::survey::{Side, Wish, merged_mode, three_way};
use super::{Buffer, Doing, Git, Moved, Planned, oid, sparse};
use crate::fail;
use git2::{Index, ObjectType};
use team::{Base, CommitId, Failure, PlannedPath, TaskId};

impl Git {
    /// The three-way merge (S, yours, H) of every path that S..H changes. Yours is an editor's buffer
    /// where one is given, else the file.
    pub fn plan_edits(
        &self,
        base: &Base,
        head: &CommitId,
        buffers: &[Buffer],
    ) -> Result<Planned, Failure> {
        let objects = self.objects()?;
        let user = self.user_onto(&objects)?;
        let index = super::snapshot::index_of(&user);
        let lens = Lens::new(self, &user, &objects, &index)?;
        let folder = Folder::open(&self.place.root)?;
        let (seen, head) = (oid(&base.seen.0)?, oid(&head.0)?);
        let (mut plan, mut unclean) = (Vec::new(), Vec::new());
        let entries = Index::open(&index).doing("read your index")?;
        for wish in wishes(&objects, seen, head)? {
            let name = String::from_utf8_lossy(&wish.path).into_owned();
            let is_here = !matches!(folder.look(&wish.path)?, OnDisk::Absent);
            if !is_here && sparse::is_outside(&entries, &wish.path) {
                return Ok(Planned::Refused(format!(
                    "`{name}` is outside of your sparse checkout: take it in with \
                     git sparse-checkout add, or land the change as a commit"
                )));
            }
            let buffer = buffers.iter().find(|it| it.path == name);
            match merge(&objects, &lens, &folder, &wish, buffer)? {
                Some(planned) => plan.push(planned),
                None => unclean.push(format!("`{name}`")),
            }
        }
        if !unclean.is_empty() {
            let text = format!("your text conflicts with the change in {}", unclean.join(", "));
            return Ok(Planned::Refused(text));
        }
        keep_plan(&objects, &format!("refs/baton/plans/{head}"), &plan)?;
        Ok(Planned::Plan(plan))
    }

    /// Writes the files of the plan; entries for buffers are the hub's. All or nothing; called again
    /// after a crash, it finishes.
    pub fn apply_edits(&self, task: TaskId, plan: &[PlannedPath]) -> Result<Moved, Failure> {
        let objects = self.objects()?;
        let folder = Folder::open(&self.place.root)?;
        let mut changed = Vec::new();
        for path in plan.iter().filter(|it| !it.buffer) {
            let now = content(&objects, &folder, path)?;
            if now != path.before && now != path.after {
                changed.push(format!("`{}`", path.path));
            }
        }
        if !changed.is_empty() {
            let text = format!("{} changed since this was planned", changed.join(", "));
            return Ok(Moved::Refused(text));
        }
        for path in plan.iter().filter(|it| !it.buffer) {
            put(&objects, &folder, task, path)?;
        }
        Ok(Moved::Done)
    }

    /// The plan backwards, path by path; edits made since are kept where they merge. What was applied
    /// is looked for in an editor's buffer where one is given, else in the file.
    pub fn plan_undo_edits(
        &self,
        plan: &[PlannedPath],
        buffers: &[Buffer],
    ) -> Result<Planned, Failure> {
        let objects = self.objects()?;
        let folder = Folder::open(&self.place.root)?;
        let (mut back, mut unclean) = (Vec::new(), Vec::new());
        for path in plan {
            let buffer = buffers.iter().find(|it| it.path == path.path);
            match reverse(&objects, &folder, path, buffer)? {
                Some(reversed) => back.push(reversed),
                None => unclean.push(format!("`{}`", path.path)),
            }
        }
        if !unclean.is_empty() {
            let text = format!("{} was edited in the same lines since", unclean.join(", "));
            return Ok(Planned::Refused(text));
        }
        Ok(Planned::Plan(back))
    }
}

fn merge(
    objects: &Objects,
    lens: &Lens<'_>,
    folder: &Folder,
    wish: &Wish,
    buffer: Option<&Buffer>,
) -> Result<Option<PlannedPath>, Failure> {
    let Ok(name) = std::str::from_utf8(&wish.path) else {
        return Ok(None);
    };
    let on_disk = |side: Option<Side>| -> Result<Option<Vec<u8>>, Failure> {
        side.map(|it| lens.smudge_one(&wish.path, it.mode, it.id)).transpose()
    };
    let (base, theirs) = (on_disk(wish.from)?, on_disk(wish.to)?);
    let (base_mode, their_mode) =
        (wish.from.map_or(0, |it| it.mode), wish.to.map_or(0, |it| it.mode));
    let (mode, file) = match folder.look(&wish.path)? {
        OnDisk::File { mode, bytes, .. } => (mode, Some(bytes)),
        OnDisk::Absent => (0, None),
        OnDisk::Other => return Ok(None),
    };
    let (yours, mode) = match buffer {
        // A buffer over no file yet has the mode that the agents' file has.
        Some(buffer) => (Some(buffer.text.clone()), if mode == 0 { base_mode } else { mode }),
        None => (file, mode),
    };
    let links = [base_mode, their_mode, mode].contains(&MODE_LINK);
    let text = three_way(base.as_deref(), yours.as_deref(), theirs.as_deref(), links);
    let (Some(after), Some(to)) = (text, merged_mode(base_mode, mode, their_mode)) else {
        return Ok(None);
    };
    if after.is_some() != (to != 0) {
        return Ok(None);
    }
    let put = |bytes: Option<Vec<u8>>| -> Result<Option<String>, Failure> {
        let id = bytes.map(|it| objects.put(ObjectType::Blob, &it)).transpose()?;
        Ok(id.map(|it| it.to_string()))
    };
    Ok(Some(PlannedPath {
        path: name.to_string(),
        mode: to,
        mode_before: mode,
        before: put(yours)?,
        after: put(after)?,
        index: None,
        buffer: buffer.is_some(),
    }))
}

/// The blob of what a file holds now, put into the store.
fn content(
    objects: &Objects,
    folder: &Folder,
    path: &PlannedPath,
) -> Result<Option<String>, Failure> {
    match folder.look(path.path.as_bytes())? {
        OnDisk::File { bytes, .. } => Ok(Some(objects.put(ObjectType::Blob, &bytes)?.to_string())),
        OnDisk::Absent => Ok(None),
        OnDisk::Other => Ok(Some(String::new())),
    }
}

fn put(
    objects: &Objects,
    folder: &Folder,
    task: TaskId,
    path: &PlannedPath,
) -> Result<(), Failure> {
    fail::point("git.file");
    let name = path.path.as_bytes();
    match &path.after {
        _ if path.before == path.after && path.mode == path.mode_before => {}
        Some(id) => {
            let bytes = objects.read_blob(oid(id)?)?;
            let done = matches!(
                folder.look(name)?,
                OnDisk::File { mode, bytes: now, .. } if now == bytes && mode == path.mode
            );
            if !done {
                folder.replace(name, path.mode, &bytes, &format!(".baton-{task}.tmp"))?;
            }
        }
        None => folder.remove(name)?,
    }
    fail::point("git.file.done");
    Ok(())
}

/// The plan for taking one path back, with what the buffer or else the file holds now.
pub(super) fn reverse(
    objects: &Objects,
    folder: &Folder,
    path: &PlannedPath,
    buffer: Option<&Buffer>,
) -> Result<Option<PlannedPath>, Failure> {
    let (mode, file) = match folder.look(path.path.as_bytes())? {
        OnDisk::File { mode, bytes, .. } => (mode, Some(bytes)),
        OnDisk::Absent => (0, None),
        OnDisk::Other => return Ok(None),
    };
    // A buffer over no file yet has the mode that it was applied with.
    let mode = if buffer.is_some() && mode == 0 { path.mode } else { mode };
    let now = buffer.map(|it| it.text.clone()).or(file);
    let blob = |id: &Option<String>| -> Result<Option<Vec<u8>>, Failure> {
        id.as_deref().map(|it| objects.read_blob(oid(it)?)).transpose()
    };
    let (landed, before) = (blob(&path.after)?, blob(&path.before)?);
    let links = [mode, path.mode, path.mode_before].contains(&MODE_LINK);
    let text = three_way(landed.as_deref(), now.as_deref(), before.as_deref(), links);
    let (Some(after), Some(to)) = (text, merged_mode(path.mode, mode, path.mode_before)) else {
        return Ok(None);
    };
    if after.is_some() != (to != 0) {
        return Ok(None);
    }
    let put = |bytes: Option<Vec<u8>>| -> Result<Option<String>, Failure> {
        let id = bytes.map(|it| objects.put(ObjectType::Blob, &it)).transpose()?;
        Ok(id.map(|it| it.to_string()))
    };
    Ok(Some(PlannedPath {
        path: path.path.clone(),
        mode: to,
        mode_before: mode,
        before: put(now)?,
        after: put(after)?,
        index: None,
        buffer: buffer.is_some(),
    }))
}
