//! Finds the repository that a path belongs to, and refuses by name what Baton cannot work in.

use super::{Doing, formats};
use git2::{ErrorCode, Repository};
use std::path::{Path, PathBuf};
use team::{Code, Failure};

/// A repository of the user's, every path canonical. Linked worktrees and symlinks reach the same
/// `common_dir`, and so the same hub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The root of the worktree.
    pub root: PathBuf,
    /// The worktree's own git folder (HEAD, index).
    pub git_dir: PathBuf,
    /// The repository's git folder (objects, refs, config).
    pub common_dir: PathBuf,
    /// For people and for folder names: the name of the main folder.
    pub name: String,
}

impl Place {
    /// Git's name for this linked worktree; `None`: it is the main one.
    pub fn worktree(&self) -> Option<String> {
        let name = self.git_dir.file_name().filter(|_| self.git_dir != self.common_dir);
        name.map(|it| it.to_string_lossy().into_owned())
    }
}

/// The repository around `path`; walks up.
pub fn find(path: &Path) -> Result<Place, Failure> {
    let start = path.canonicalize().doing("open the folder")?;
    for dir in start.ancestors() {
        if dir.join(".git").symlink_metadata().is_ok() {
            return open(dir);
        }
        if is_git_folder(dir) {
            return Err(refuse(
                format!("`{}` is a bare repository or a git folder", dir.display()),
                "go to a worktree of it, or make one: git worktree add ../work",
            ));
        }
    }
    Err(refuse(
        format!("no git repository at `{}` or above", start.display()),
        "make one: git init, then a first commit",
    ))
}

fn refuse(text: impl Into<String>, hint: &str) -> Failure {
    Failure::new(Code::Git, text).hint(hint)
}

fn is_git_folder(dir: &Path) -> bool {
    dir.join("HEAD").is_file() && dir.join("objects").is_dir() && dir.join("refs").is_dir()
}

fn open(root: &Path) -> Result<Place, Failure> {
    let git_dir = git_dir_of(root)?;
    let common_dir = common_dir_of(&git_dir)?;
    formats::refuse(&git_dir, &common_dir)?;
    let repo = match super::open_at(&git_dir) {
        Ok(repo) => repo,
        Err(error) if error.code() == ErrorCode::Owner => {
            let hint = format!(
                "if you trust it: git config --global --add safe.directory {}",
                root.display()
            );
            return Err(refuse("this repository belongs to another user", &hint));
        }
        Err(error) => return Err(error).doing("open the repository"),
    };
    if repo.is_bare() {
        return Err(refuse(
            format!("`{}` is a bare repository", root.display()),
            "go to a worktree of it, or make one: git worktree add ../work",
        ));
    }
    belongs(root, &git_dir, &common_dir, &repo)?;
    refuse_unborn(&repo)?;
    formats::refuse_replaced(&repo, &common_dir)?;
    Ok(Place { root: root.to_path_buf(), name: name_of(root, &common_dir), git_dir, common_dir })
}

fn git_dir_of(root: &Path) -> Result<PathBuf, Failure> {
    let dot_git = root.join(".git");
    if dot_git.is_dir() {
        return dot_git.canonicalize().doing("open the git folder");
    }
    let text = std::fs::read_to_string(&dot_git).doing("read the .git file")?;
    let target = text.trim_end().strip_prefix("gitdir: ").ok_or_else(|| {
        refuse(format!("`{}` points nowhere", dot_git.display()), "repair it: git worktree repair")
    })?;
    root.join(target)
        .canonicalize()
        .doing("follow the .git file")
        .map_err(|it| it.hint("repair it: git worktree repair"))
}

fn common_dir_of(git_dir: &Path) -> Result<PathBuf, Failure> {
    match std::fs::read_to_string(git_dir.join("commondir")) {
        Ok(text) => {
            git_dir.join(text.trim_end()).canonicalize().doing("open the common git folder")
        }
        Err(_) => Ok(git_dir.to_path_buf()),
    }
}

/// A git folder that names another place as its own would let a downloaded folder reach into a
/// repository of the user's; git itself follows such pointers, Baton does not.
fn belongs(
    root: &Path,
    git_dir: &Path,
    common_dir: &Path,
    repo: &Repository,
) -> Result<(), Failure> {
    let workdir = repo.workdir().and_then(|it| it.canonicalize().ok());
    let inside = root.join(".git").is_dir();
    let common_ok = git_dir == common_dir || !inside;
    if workdir.as_deref() == Some(root) && common_ok {
        return Ok(());
    }
    let hint = format!(
        "repair it: git worktree repair; or say where it belongs: git config core.worktree {}",
        root.display()
    );
    Err(refuse(format!("the git folder of `{}` belongs to another place", root.display()), &hint))
}

fn refuse_unborn(repo: &Repository) -> Result<(), Failure> {
    match repo.head() {
        Ok(_) => Ok(()),
        Err(error) if error.code() == ErrorCode::UnbornBranch => Err(refuse(
            "this repository has no commit yet",
            "make a first one: git commit --allow-empty -m start",
        )),
        Err(error) => Err(error).doing("read HEAD"),
    }
}

fn name_of(root: &Path, common_dir: &Path) -> String {
    let main = match common_dir.file_name() {
        Some(name) if name == ".git" => common_dir.parent().unwrap_or(root),
        Some(_) | None => root,
    };
    let name = main.file_name().unwrap_or_default().to_string_lossy();
    let kept: String = name
        .chars()
        .map(|it| match it {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '_' | '.' => it,
            _ => '-',
        })
        .take(64)
        .collect();
    if kept.is_empty() { "repository".into() } else { kept }
}
