//! From a document's URI to a file, and from a file to its path in a repository.

use super::types::Uri;
use std::path::{Path, PathBuf};

/// The file behind a `file:` URI, links resolved as far as the path exists; `None` for any other
/// scheme (a diff view, an unnamed buffer), and for a file on another machine.
pub fn file(uri: &Uri) -> Option<PathBuf> {
    let local = uri
        .authority()
        .is_none_or(|it| it.host().is_empty() || it.host().eq_ignore_ascii_case("localhost"));
    if !uri.scheme().as_str().eq_ignore_ascii_case("file") || !local {
        return None;
    }
    let decoded = uri.path().decode().to_string().ok()?;
    let path = PathBuf::from(&*decoded);
    path.is_absolute().then(|| resolve(&path))
}

/// Links resolved; what does not exist yet is kept as it is named.
pub fn resolve(path: &Path) -> PathBuf {
    if let Ok(real) = path.canonicalize() {
        return real;
    }
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => resolve(parent).join(name),
        _ => path.to_owned(),
    }
}

/// The path below `root`, with `/` between parts. Both sides with links resolved. `None`: not below
/// it, inside `.git`, or no UTF-8.
pub fn relative(root: &Path, path: &Path) -> Option<String> {
    let below = path.strip_prefix(root).ok()?;
    let parts: Option<Vec<&str>> = below.iter().map(|it| it.to_str()).collect();
    let parts = parts?;
    match parts.first() {
        None => None,
        Some(first) if first.eq_ignore_ascii_case(".git") => None,
        Some(_) => Some(parts.join("/")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::str::FromStr;

    fn path_of(text: &str) -> Option<PathBuf> {
        file(&Uri::from_str(text).unwrap())
    }

    #[test]
    fn only_local_files_are_files() {
        assert_eq!(path_of("file:///no/such/a.rs"), Some("/no/such/a.rs".into()));
        assert_eq!(path_of("file://localhost/no/such/a.rs"), Some("/no/such/a.rs".into()));
        assert_eq!(path_of("file://elsewhere/no/such/a.rs"), None);
        assert_eq!(path_of("untitled:Untitled-1"), None);
        assert_eq!(path_of("git:/no/such/a.rs?ref"), None);
    }

    #[test]
    fn percent_codes_are_read_as_utf8() {
        let named = path_of("file:///no/such%20dir/%D0%BF%C3%A4%F0%9F%A6%80%25.rs");
        assert_eq!(named, Some("/no/such dir/пä🦀%.rs".into()));
        assert_eq!(path_of("file:///no/%ff.rs"), None);
        let back = Uri::from_file_path("/no/such dir/пä🦀%.rs").unwrap();
        assert_eq!(file(&back), Some("/no/such dir/пä🦀%.rs".into()));
    }

    #[test]
    fn links_are_resolved_even_above_what_does_not_exist() {
        let dir = tempfile::tempdir().unwrap();
        let real = dir.path().canonicalize().unwrap().join("real");
        std::fs::create_dir(&real).unwrap();
        let link = dir.path().join("link");
        std::os::unix::fs::symlink(&real, &link).unwrap();
        assert_eq!(resolve(&link.join("new/a.rs")), real.join("new/a.rs"));
        let below = relative(&real, &resolve(&link.join("new/a.rs")));
        assert_eq!(below.as_deref(), Some("new/a.rs"));
    }

    #[test]
    fn what_is_not_below_the_root_has_no_path() {
        let root = Path::new("/r/a");
        assert_eq!(relative(root, Path::new("/r/ab/x")), None);
        assert_eq!(relative(root, Path::new("/r/a")), None);
        assert_eq!(relative(root, Path::new("/r/a/.git/config")), None);
        assert_eq!(relative(root, Path::new("/r/a/.gitignore")).as_deref(), Some(".gitignore"));
    }
}
