//! What the paths of a plan reach: which of them can't stand there, where a mistake is dear, and which
//! changed files lie outside of them.

use super::acting::{Risk, is_git_like};
use super::{Doing, Git, oid};
use globset::{Glob, GlobBuilder, GlobSet, GlobSetBuilder};
use std::path::Path;
use team::{Code, CommitId, Failure, PlanFacts, is_documentation, is_test};

/// Paths of risk that a person is shown.
const RISK_SHOWN_MAX: usize = 20;
const GLOB_CHARS_MAX: usize = 300;
/// Files that a program writes by itself when the other one is changed.
const FOLLOWERS: [(&str, &[&str]); 5] = [
    ("Cargo.toml", &["Cargo.lock"]),
    ("package.json", &["package-lock.json", "pnpm-lock.yaml", "yarn.lock"]),
    ("go.mod", &["go.sum"]),
    ("pyproject.toml", &["poetry.lock", "uv.lock"]),
    ("Gemfile", &["Gemfile.lock"]),
];

impl Git {
    /// What these globs reach in the files of this commit. `risk_globs` add to the built-in ones.
    pub fn reach(
        &self,
        at: &CommitId,
        globs: &[String],
        risk_globs: &[String],
    ) -> Result<PlanFacts, Failure> {
        let mut wrong: Vec<String> = globs.iter().filter_map(|it| why_wrong(it)).collect();
        wrong.dedup();
        if !wrong.is_empty() {
            return Ok(PlanFacts { wrong, risk: vec![] });
        }
        let (set, dear) = (set_of(globs)?, Risk::new(risk_globs)?);
        // A file that doesn't exist yet is known by its name alone.
        let mut risk: Vec<String> = globs.iter().filter(|it| dear.is_dear(it)).cloned().collect();
        let objects = self.objects()?;
        let tree = objects.repo.find_tree(objects.tree_of(oid(&at.0)?)?).doing("read a tree")?;
        tree.walk(git2::TreeWalkMode::PreOrder, |folder, entry| {
            let name = entry.name().unwrap_or_default();
            let path = format!("{folder}{name}");
            let is_file = entry.kind() == Some(git2::ObjectType::Blob);
            if is_file && set.is_match(&path) && dear.is_dear(&path) && !risk.contains(&path) {
                risk.push(path);
            }
            // Enough is found to ask a person; the rest would only be counted.
            match RISK_SHOWN_MAX <= risk.len() {
                true => git2::TreeWalkResult::Abort,
                false => git2::TreeWalkResult::Ok,
            }
        })
        .or_else(|error| match error.code() {
            git2::ErrorCode::User => Ok(()),
            _ => Err(error),
        })
        .doing("read a tree")?;
        risk.truncate(RISK_SHOWN_MAX);
        Ok(PlanFacts { wrong, risk })
    }
}

/// The changed paths that these globs don't name. Tests and documentation go without saying, and a
/// lock file with its manifest. Errors: `Config` for what is no glob.
pub fn outside<'a>(
    globs: &[String],
    changed: impl Iterator<Item = &'a str>,
) -> Result<Vec<String>, Failure> {
    let set = set_of(globs)?;
    let is_covered = |path: &str| {
        is_test(path) || is_documentation(path) || set.is_match(path) || follows(globs, path)
    };
    Ok(changed.filter(|it| !is_covered(it)).map(str::to_owned).collect())
}

/// A lock file whose manifest, beside it or below, is named: the one of a workspace lies above.
fn follows(globs: &[String], path: &str) -> bool {
    let (folder, name) = path.rsplit_once('/').map_or(("", path), |it| (it.0, it.1));
    let manifest = FOLLOWERS.iter().find(|it| it.1.contains(&name)).map(|it| it.0);
    manifest.is_some_and(|manifest| {
        globs.iter().any(|it| {
            let (at, of) = it.rsplit_once('/').unwrap_or(("", it.as_str()));
            of == manifest && Path::new(at).starts_with(folder)
        })
    })
}

/// Why this can't stand in a plan, as a sentence for the model.
fn why_wrong(glob: &str) -> Option<String> {
    let says = |why: &str| Some(format!("`{glob}` {why}"));
    let parts: Vec<&str> = glob.split('/').collect();
    if glob.is_empty() {
        return Some("an empty one".to_owned());
    }
    if GLOB_CHARS_MAX < glob.chars().count() {
        return Some("one that is too long".to_owned());
    }
    if glob.starts_with('/') || glob.contains('\\') || glob.contains(':') {
        return says("is not relative to the root of the repository");
    }
    if parts.contains(&"..") {
        return says("leads out of the repository");
    }
    if glob.trim_matches(['*', '/', '.']).is_empty() {
        return says("is the whole repository: name the files or folders that change");
    }
    let first = parts.first().copied().unwrap_or_default();
    if first.eq_ignore_ascii_case(".baton") || is_git_like(glob.trim_end_matches('/').as_bytes()) {
        return says("is no agent's to change");
    }
    one(glob).err().and_then(|error| says(&format!("is no glob: {}", error.kind())))
}

fn one(glob: &str) -> Result<Glob, globset::Error> {
    GlobBuilder::new(glob).literal_separator(true).build()
}

/// The globs, and each as a folder with all below it.
fn set_of(globs: &[String]) -> Result<GlobSet, Failure> {
    let wrong = |error| Failure::new(Code::Config, format!("read the paths of a plan: {error}"));
    let mut set = GlobSetBuilder::new();
    for it in globs {
        let it = it.trim_start_matches("./").trim_end_matches('/');
        set.add(one(it).map_err(wrong)?);
        set.add(one(&format!("{it}/**")).map_err(wrong)?);
    }
    set.build().map_err(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(globs: &[&str], changed: &[&str]) -> Vec<String> {
        let globs: Vec<String> = globs.iter().map(ToString::to_string).collect();
        outside(&globs, changed.iter().copied()).unwrap()
    }

    #[test]
    fn a_plan_covers_its_files_their_tests_and_documents() {
        let changed =
            ["src/net.rs", "src/net/retry.rs", "tests/net.rs", "README.md", "src/main.rs"];
        assert_eq!(left(&["src/net.rs", "src/net"], &changed), ["src/main.rs"]);
        assert_eq!(left(&["src/net/", "./src/main.rs"], &changed), ["src/net.rs"]);
        assert_eq!(left(&["src/*.rs"], &changed), ["src/net/retry.rs"]);
        assert_eq!(left(&["src/**/*.rs"], &changed), Vec::<String>::new());
    }

    #[test]
    fn a_lock_file_follows_its_manifest() {
        assert_eq!(left(&["Cargo.toml"], &["Cargo.lock"]), Vec::<String>::new());
        assert_eq!(left(&["web/package.json"], &["web/yarn.lock"]), Vec::<String>::new());
        assert_eq!(left(&["src/a.rs"], &["Cargo.lock"]), ["Cargo.lock"]);
        assert_eq!(left(&["crates/a/Cargo.toml"], &["Cargo.lock"]), Vec::<String>::new());
        assert_eq!(left(&["web/package.json"], &["api/yarn.lock"]), ["api/yarn.lock"]);
    }

    #[test]
    fn what_cant_stand_in_a_plan_says_why() {
        for it in ["src/a.rs", "src/**", "*.rs", "a b/c.txt", ".github/workflows/ci.yml"] {
            assert_eq!(why_wrong(it), None, "{it}");
        }
        let says = ["", "/etc/passwd", "../x", "a/../../x", "**", "**/*", ".", "./", "a\\b"];
        for it in says {
            assert!(why_wrong(it).is_some(), "{it}");
        }
        for it in [".baton/team.toml", ".git/config", "sub/.GIT/hooks", ".Baton"] {
            assert!(why_wrong(it).is_some_and(|it| it.contains("no agent's")), "{it}");
        }
        assert!(why_wrong("src/{a").is_some_and(|it| it.contains("no glob")));
    }
}
