//! Formats of a repository that Baton cannot work in: each is refused by name, with what to do.

use super::Doing;
use git2::{Config, Index, ObjectType, Oid, Repository};
use std::path::Path;
use team::{Code, Failure};

/// Extensions that are understood, or have a refusal of their own below.
const KNOWN_EXTENSIONS: [&str; 8] = [
    "noop",
    "noop-v1",
    "objectformat",
    "partialclone",
    "preciousobjects",
    "refstorage",
    "relativeworktrees",
    "worktreeconfig",
];

fn no(text: impl Into<String>, hint: &str) -> Failure {
    Failure::new(Code::Git, text).hint(hint)
}

/// Fails where the configuration names a format that is not supported, or the index has one.
pub(super) fn refuse(git_dir: &Path, common_dir: &Path) -> Result<(), Failure> {
    let config = Config::open(&common_dir.join("config")).doing("read the configuration")?;
    let text = |key: &str| config.get_string(key).unwrap_or_default();
    if text("extensions.refstorage").eq_ignore_ascii_case("reftable") {
        return Err(no(
            "this repository keeps its refs in a reftable, which is not supported yet",
            "convert it: git refs migrate --ref-format=files",
        ));
    }
    if text("extensions.objectformat").eq_ignore_ascii_case("sha256") {
        return Err(no(
            "this repository uses sha256 object names, which are not supported yet",
            "work in a clone with sha1 object names",
        ));
    }
    if !text("extensions.partialclone").is_empty() || has_promisor(&config) {
        return Err(no(
            "this is a partial clone: some objects are not here",
            "make a full clone: git clone without --filter",
        ));
    }
    // Version 0 has no extensions: git ignores them there.
    if 1 <= config.get_i64("core.repositoryformatversion").unwrap_or(0)
        && let Some(name) = unknown_extension(&config)
    {
        return Err(no(
            format!("this repository uses git's extension `{name}`, which is not known here"),
            "work in a clone without it",
        ));
    }
    if may_be_partial(git_dir) {
        Index::open(&git_dir.join("index")).doing("read your index")?;
    }
    Ok(())
}

/// Whether the index is worth a look here already: it may be split, or sparse.
fn may_be_partial(git_dir: &Path) -> bool {
    let entries = std::fs::read_dir(git_dir).into_iter().flatten().flatten();
    let mut names = entries.map(|it| it.file_name());
    git_dir.join("info/sparse-checkout").exists()
        || names.any(|it| it.to_string_lossy().starts_with("sharedindex."))
}

fn has_promisor(config: &Config) -> bool {
    named(config, "remote\\..*\\.promisor", |_, value| value != "false").is_some()
}

fn unknown_extension(config: &Config) -> Option<String> {
    let name = |it: &str| it.strip_prefix("extensions.").unwrap_or(it).to_lowercase();
    let unknown = |it: &str, _: &str| !KNOWN_EXTENSIONS.contains(&name(it).as_str());
    named(config, "^extensions\\.", unknown).map(|it| name(&it))
}

/// The first entry whose name matches and of which this holds.
fn named(config: &Config, names: &str, fits: impl Fn(&str, &str) -> bool) -> Option<String> {
    let entries = config.entries(Some(names)).ok()?;
    let mut found = None;
    let _ = entries.for_each(|it| {
        let (name, value) = (it.name().unwrap_or_default(), it.value().unwrap_or_default());
        if found.is_none() && fits(name, value) {
            found = Some(name.to_string());
        }
    });
    found
}

/// What libgit2 means by its words about an index that it can't read: why, and what to do.
pub(super) fn of_index(text: &str) -> Option<(&'static str, &'static str)> {
    let names = |extension: &str| text.contains(&format!("mandatory extension: '{extension}'"));
    if names("link") {
        let hint = "turn it off: git config core.splitIndex false, \
                    git update-index --no-split-index";
        return Some(("this repository has a split index", hint));
    }
    let hint = "write it in full: git sparse-checkout reapply --no-sparse-index";
    names("sdir").then_some(("this repository has a sparse index", hint))
}

/// `refs/replace/*` shows other content than what is stored, and libgit2 does not follow it. Where
/// only a commit's parents or words differ, nothing that Baton looks at does.
pub(super) fn refuse_replaced(repo: &Repository, common_dir: &Path) -> Result<(), Failure> {
    let packed = std::fs::read(common_dir.join("packed-refs")).unwrap_or_default();
    let prefix = b"refs/replace/";
    let is_packed = packed.windows(prefix.len()).any(|it| it == prefix);
    if !is_packed && !common_dir.join("refs/replace").is_dir() {
        return Ok(());
    }
    for found in repo.references_glob("refs/replace/*").doing("look for replaced objects")? {
        let found = found.doing("look for replaced objects")?;
        let name = found.name().unwrap_or_default().to_string();
        let old = Oid::from_str(name.rsplit('/').next().unwrap_or_default());
        let (Ok(old), Some(new)) = (old, found.target()) else {
            continue;
        };
        if !same_content(repo, old, new) {
            return Err(no(
                format!("`{old}` is replaced by an object with other content"),
                &format!("take that back: git replace -d {old}"),
            ));
        }
    }
    Ok(())
}

fn same_content(repo: &Repository, old: Oid, new: Oid) -> bool {
    // An object that is not here is shown by nobody.
    let Ok(object) = repo.find_object(old, None) else {
        return true;
    };
    match object.kind() {
        Some(ObjectType::Commit) => {
            let tree = |it: Oid| repo.find_commit(it).map(|it| it.tree_id()).ok();
            tree(old) == tree(new)
        }
        Some(ObjectType::Tag) => true,
        Some(ObjectType::Tree | ObjectType::Blob | ObjectType::Any) | None => false,
    }
}
