//! How apply-as-edits reaches text that lives in an editor and not in a file. Editors come and go;
//! each knows the documents that are open in it.

use crate::git::Buffer;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot, watch};

/// An editor's side of the bargain.
#[derive(Clone)]
pub struct Editor {
    /// The worktree that its paths are relative to, links resolved.
    pub root: PathBuf,
    /// The open documents whose text differs from the file, right now.
    pub buffers: Arc<dyn Fn() -> Vec<Buffer> + Send + Sync>,
    pub apply: mpsc::Sender<EditRequest>,
}

/// New text for some buffers: all of them or none.
#[derive(Debug)]
pub struct EditRequest {
    /// Path relative to the root of the repository, and the whole new text.
    pub edits: Vec<(String, String)>,
    /// Whether the editor applied them.
    pub reply: oneshot::Sender<bool>,
}

/// The editors of one repository, in the order in which they came.
#[derive(Clone)]
pub(super) struct Editors(watch::Sender<Vec<(u64, Editor)>>);

/// An editor that is known to a hub, until this is dropped.
pub struct Attached {
    editors: Editors,
    number: u64,
}

impl Drop for Attached {
    fn drop(&mut self) {
        self.editors.0.send_modify(|all| all.retain(|it| it.0 != self.number));
    }
}

impl Editors {
    pub(super) fn none() -> Editors {
        Editors(watch::Sender::new(Vec::new()))
    }

    pub(super) fn attach(&self, editor: Editor) -> Attached {
        let mut number = 0;
        self.0.send_modify(|all| {
            number = all.last().map_or(1, |it| it.0 + 1);
            all.push((number, editor));
        });
        Attached { editors: self.clone(), number }
    }

    fn at(&self, root: &Path) -> Vec<Editor> {
        let all = self.0.borrow();
        all.iter().filter(|it| it.1.root == root).map(|it| it.1.clone()).collect()
    }

    /// What is unsaved in this worktree. Of a file that two editors changed, the text of the first.
    pub(super) fn buffers(&self, root: &Path) -> Vec<Buffer> {
        let mut found: Vec<Buffer> = Vec::new();
        for buffer in self.at(root).iter().flat_map(|it| (it.buffers)()) {
            if !found.iter().any(|it| it.path == buffer.path) {
                found.push(buffer);
            }
        }
        found
    }

    /// Each edit goes to the first editor in which its file is unsaved. False: one of them was not
    /// taken, or nobody has the file open any more.
    pub(super) async fn apply(&self, root: &Path, mut edits: Vec<(String, String)>) -> bool {
        for editor in self.at(root) {
            let has = (editor.buffers)();
            let is_there = |it: &(String, String)| has.iter().any(|has| has.path == it.0);
            let (here, rest): (Vec<_>, Vec<_>) = edits.into_iter().partition(is_there);
            edits = rest;
            if here.is_empty() {
                continue;
            }
            let (reply, answer) = oneshot::channel();
            let sent = editor.apply.send(EditRequest { edits: here, reply }).await;
            if sent.is_err() || !answer.await.unwrap_or(false) {
                return false;
            }
        }
        edits.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn editor(root: &str, paths: &'static [&'static str]) -> (Editor, mpsc::Receiver<EditRequest>) {
        let (apply, requests) = mpsc::channel(4);
        let buffer = |it: &&str| Buffer { path: (*it).to_owned(), text: root.into() };
        let made: Vec<_> = paths.iter().map(buffer).collect();
        let buffers = Arc::new(move || made.clone());
        (Editor { root: root.into(), buffers, apply }, requests)
    }

    #[tokio::test]
    async fn edits_go_where_the_text_is_and_a_gone_editor_takes_none() {
        let editors = Editors::none();
        let (one, mut to_one) = editor("/a", &["x", "y"]);
        let (two, mut to_two) = editor("/a", &["y", "z"]);
        let (other, _keep) = editor("/b", &["z"]);
        let (_one, two, _other) = (editors.attach(one), editors.attach(two), editors.attach(other));
        let paths = |all: Vec<Buffer>| all.into_iter().map(|it| it.path).collect::<Vec<_>>();
        assert_eq!(paths(editors.buffers(Path::new("/a"))), ["x", "y", "z"]);
        let edit = |path: &str| (path.to_owned(), String::new());
        let say_yes = async {
            let first = to_one.recv().await.unwrap();
            assert_eq!(first.edits, [edit("y")]);
            first.reply.send(true).unwrap();
            let second = to_two.recv().await.unwrap();
            assert_eq!(second.edits, [edit("z")]);
            second.reply.send(true).unwrap();
        };
        let edits = vec![edit("y"), edit("z")];
        let (taken, ()) = tokio::join!(editors.apply(Path::new("/a"), edits), say_yes);
        assert!(taken);
        drop(two);
        assert!(!editors.apply(Path::new("/a"), vec![edit("z")]).await);
    }
}
