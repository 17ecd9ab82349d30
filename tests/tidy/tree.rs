//! The files of the project, each read once: what git tracks, and what it would track.

use crate::lexer::Rust;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

/// A text file of the project.
pub struct File {
    /// Relative to the root, `/` between parts.
    pub path: String,
    pub text: String,
    /// Only for `.rs`.
    pub rust: Option<Rust>,
}

impl File {
    pub fn new(path: &str, text: &str) -> File {
        let rust = path.ends_with(".rs").then(|| Rust::read(path, text));
        File { path: path.to_owned(), text: text.to_owned(), rust }
    }

    /// A project that a test or the demo works on: none of our code. What must be nowhere in the tree
    /// must not be there either.
    pub fn is_fixture(&self) -> bool {
        ["/fixtures/", "/demo/bugs/", "tests/reliability/"].iter().any(|it| self.path.contains(it))
    }
}

pub struct Tree {
    /// Every path, also of files that hold no text.
    pub paths: Vec<String>,
    pub files: Vec<File>,
}

impl Tree {
    /// Rust files of ours, with their views.
    pub fn rust(&self) -> impl Iterator<Item = (&File, &Rust)> {
        self.files
            .iter()
            .filter(|it| !it.is_fixture())
            .filter_map(|it| it.rust.as_ref().map(|rust| (it, rust)))
    }

    pub fn file(&self, path: &str) -> &File {
        let found = self.files.iter().find(|it| it.path == path);
        found.unwrap_or_else(|| panic!("{path} is missing"))
    }
}

static TREE: LazyLock<Tree> = LazyLock::new(read);

pub fn tree() -> &'static Tree {
    &TREE
}

pub fn root() -> PathBuf {
    let here = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    here.canonicalize().unwrap()
}

fn read() -> Tree {
    let root = root();
    let mut paths = listed_by_git(&root).unwrap_or_else(|| walked(&root));
    paths.retain(|it| root.join(it).is_file());
    paths.sort();
    paths.dedup();
    let mut files: Vec<File> = Vec::new();
    for path in &paths {
        if let Ok(text) = std::fs::read_to_string(root.join(path)) {
            files.push(File::new(path, &text));
        }
    }
    let test_modules: Vec<String> = files
        .iter()
        .filter_map(|it| it.rust.as_ref())
        .flat_map(|it| it.test_modules.iter().cloned())
        .collect();
    for file in &mut files {
        let is_test = |it: &String| {
            file.path == format!("{it}.rs") || file.path.starts_with(&format!("{it}/"))
        };
        if let Some(rust) = &mut file.rust
            && test_modules.iter().any(is_test)
        {
            rust.become_test();
        }
    }
    Tree { paths, files }
}

fn listed_by_git(root: &Path) -> Option<Vec<String>> {
    let out = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output()
        .ok()
        .filter(|it| it.status.success())?;
    let text = String::from_utf8(out.stdout).expect("a path of ours is not UTF-8");
    let paths: Vec<String> = text.split_terminator('\0').map(str::to_owned).collect();
    (!paths.is_empty()).then_some(paths)
}

/// For a copy of the sources without git.
fn walked(root: &Path) -> Vec<String> {
    ignore::WalkBuilder::new(root)
        .hidden(false)
        .require_git(false)
        .filter_entry(|it| it.file_name() != ".git")
        .build()
        .filter_map(Result::ok)
        .filter_map(|it| Some(it.path().strip_prefix(root).ok()?.to_str()?.to_owned()))
        .collect()
}

#[test]
fn both_ways_of_listing_find_this_file() {
    let here = "tests/tidy/tree.rs".to_owned();
    assert!(walked(&root()).contains(&here));
    assert!(tree().paths.contains(&here));
    assert!(tree().file(&here).rust.as_ref().unwrap().product.trim().is_empty());
}
