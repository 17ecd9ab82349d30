//! A new repository with one commit: the stage of `baton demo`.

use super::Doing;
use git2::{Repository, RepositoryInitOptions, Signature};
use std::path::Path;
use team::Failure;

/// Makes a repository in `dir` with these files (path with `/`, text) committed on `main`, by a
/// person of this name, who is also its configured identity. Errors: `Git`, also for a folder that
/// can't be written.
pub fn make_repository(
    dir: &Path,
    files: &[(String, String)],
    name: &str,
    email: &str,
    message: &str,
) -> Result<(), Failure> {
    for (path, text) in files {
        let path = dir.join(path);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).doing("make a repository")?;
        }
        std::fs::write(&path, text).doing("make a repository")?;
    }
    let make = || {
        let mut options = RepositoryInitOptions::new();
        let repository = Repository::init_opts(dir, options.initial_head("main"))?;
        let mut config = repository.config()?;
        config.set_str("user.name", name)?;
        config.set_str("user.email", email)?;
        let mut index = repository.index()?;
        for (path, _) in files {
            index.add_path(Path::new(path))?;
        }
        index.write()?;
        let tree = repository.find_tree(index.write_tree()?)?;
        let by = Signature::now(name, email)?;
        repository.commit(Some("HEAD"), &by, &by, message, &tree, &[])
    };
    make().map(|_| ()).doing("make a repository")
}
