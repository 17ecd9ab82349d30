//! Line endings and other conversions between a file on disk and its blob. libgit2's own filters do
//! the work (CRLF, `ident`; it runs no program), and only where attributes or configuration ask for
//! it; everywhere else the bytes are the same on both sides.

use super::files::{Folder, OnDisk, as_path};
use super::objects::Objects;
use super::{Doing, Git};
use git2::build::CheckoutBuilder;
use git2::{AttrCheckFlags, AttrValue, Index, ObjectType, Oid, Repository};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use team::Failure;

/// Looks at files through one repository's attributes and configuration. `repo` has a worktree and
/// the store's objects.
pub(super) struct Lens<'a> {
    git: &'a Git,
    repo: &'a Repository,
    objects: &'a Objects,
    /// The index that holds attributes where the worktree has no such file.
    index: PathBuf,
    autocrlf: bool,
    eol_crlf: bool,
}

impl<'a> Lens<'a> {
    pub(super) fn new(
        git: &'a Git,
        repo: &'a Repository,
        objects: &'a Objects,
        index: &Path,
    ) -> Result<Lens<'a>, Failure> {
        let config = repo.config().and_then(|mut it| it.snapshot());
        let config = config.doing("read the configuration")?;
        let autocrlf = config.get_string("core.autocrlf").unwrap_or_default();
        let eol = config.get_string("core.eol").unwrap_or_default();
        Ok(Lens {
            git,
            repo,
            objects,
            index: index.to_path_buf(),
            autocrlf: !autocrlf.is_empty() && autocrlf != "false",
            eol_crlf: eol.eq_ignore_ascii_case("crlf"),
        })
    }

    /// The value of an attribute; `None`: not specified or switched off.
    pub(super) fn attribute(&self, path: &[u8], name: &str) -> Option<String> {
        let flags = AttrCheckFlags::FILE_THEN_INDEX;
        let value = self.repo.get_attr_bytes(as_path(path), name, flags).ok()?;
        match AttrValue::from_bytes(value) {
            AttrValue::True => Some("true".into()),
            AttrValue::String(text) => Some(text.into()),
            AttrValue::Bytes(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
            AttrValue::False | AttrValue::Unspecified => None,
        }
    }

    /// An attribute that needs a program or a conversion that libgit2 does not have.
    pub(super) fn foreign(&self, path: &[u8]) -> Option<String> {
        ["filter", "working-tree-encoding"]
            .iter()
            .find_map(|name| self.attribute(path, name).map(|value| format!("{name}={value}")))
    }

    /// Whether a blob may look different on disk.
    fn changes_out(&self, path: &[u8]) -> bool {
        self.autocrlf
            || self.eol_crlf
            || self.attribute(path, "eol").is_some_and(|it| it == "crlf")
            || self.attribute(path, "ident").is_some()
    }

    /// Whether these bytes may look different as a blob.
    fn changes_in(&self, path: &[u8], bytes: &[u8]) -> bool {
        if bytes.contains(&b'\r') {
            let named = ["text", "crlf", "eol"];
            return self.autocrlf || named.iter().any(|it| self.attribute(path, it).is_some());
        }
        bytes.contains(&b'$') && self.attribute(path, "ident").is_some()
    }

    /// The blob of what a file holds on disk, put into the store.
    pub(super) fn clean(&self, path: &[u8], bytes: &[u8]) -> Result<Oid, Failure> {
        if !self.changes_in(path, bytes) {
            return self.objects.put(ObjectType::Blob, bytes);
        }
        // libgit2 converts only what lies in a worktree: a folder that holds this one file and its
        // attributes becomes one, with the same index behind it.
        let scratch = self.git.scratch()?;
        let file = scratch.path().join(as_path(path));
        if let Some(parent) = file.parent() {
            std::fs::create_dir_all(parent).doing("convert a file")?;
        }
        std::fs::write(&file, bytes).doing("convert a file")?;
        self.copy_attributes(path, scratch.path())?;
        let repo = super::open_at(self.repo.path()).doing("convert a file")?;
        let odb = self.objects.repo.odb().doing("open the store")?;
        repo.set_odb(&odb).doing("open the store")?;
        let mut index = Index::open(&self.index).doing("convert a file")?;
        repo.set_index(&mut index).doing("convert a file")?;
        let root = scratch.path().canonicalize().doing("convert a file")?;
        repo.set_workdir(&root, false).doing("convert a file")?;
        let id = repo.blob_path(&root.join(as_path(path))).doing("convert a file")?;
        let blob = self.objects.read_blob(id)?;
        self.objects.put(ObjectType::Blob, &blob)
    }

    /// The attribute files that hold for a path, as they are in the worktree now.
    fn copy_attributes(&self, path: &[u8], to: &Path) -> Result<(), Failure> {
        let Some(root) = self.repo.workdir() else {
            return Ok(());
        };
        let folder = Folder::open(root)?;
        for parent in as_path(path).ancestors().skip(1) {
            let name = parent.join(".gitattributes");
            let found = folder.look(name.as_os_str().as_bytes())?;
            let is_new = to.join(&name).symlink_metadata().is_err();
            if let (OnDisk::File { mode, bytes, .. }, true) = (found, is_new)
                && mode != super::files::MODE_LINK
            {
                std::fs::write(to.join(&name), bytes).doing("convert a file")?;
            }
        }
        Ok(())
    }

    /// What the files hold on disk whose blobs these are: (path, mode, blob).
    pub(super) fn smudge(&self, wanted: &[(&[u8], u32, Oid)]) -> Result<Vec<Vec<u8>>, Failure> {
        let changes =
            |it: &&(&[u8], u32, Oid)| it.1 != super::files::MODE_LINK && self.changes_out(it.0);
        let converted: Vec<_> = wanted.iter().filter(changes).collect();
        if converted.is_empty() {
            return wanted.iter().map(|it| self.objects.read_blob(it.2)).collect();
        }
        let scratch = self.git.scratch()?;
        let mut index = Index::new().doing("convert files")?;
        for (path, mode, id) in converted {
            let entry = super::files::Stat::default().entry(path, *mode, *id);
            index.add(&entry).doing("convert files")?;
        }
        let mut options = CheckoutBuilder::new();
        options.force().update_index(false).target_dir(scratch.path());
        self.repo.checkout_index(Some(&mut index), Some(&mut options)).doing("convert files")?;
        let folder = Folder::open(scratch.path())?;
        wanted
            .iter()
            .map(|(path, _, id)| match folder.look(path)? {
                OnDisk::File { bytes, .. } => Ok(bytes),
                OnDisk::Absent | OnDisk::Other => self.objects.read_blob(*id),
            })
            .collect()
    }

    pub(super) fn smudge_one(&self, path: &[u8], mode: u32, id: Oid) -> Result<Vec<u8>, Failure> {
        Ok(self.smudge(&[(path, mode, id)])?.pop().unwrap_or_default())
    }
}
