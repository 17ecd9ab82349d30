//! Apply as edits: new text for documents that are open, through `workspace/applyEdit`, so that the
//! person sees it at once and can undo it.

use super::Door;
use super::documents::Document;
use super::repositories::Repository;
use super::types::{
    ApplyWorkspaceEdit, ApplyWorkspaceEditParams, DocumentChanges, OneOf,
    OptionalVersionedTextDocumentIdentifier, Range, TextDocumentEdit, TextEdit, WorkspaceEdit,
};
use crate::git::Buffer;
use crate::hub::{Attached, EditRequest, Editor, Hub};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// An editor that takes longer has not applied it.
const APPLY_MS_MAX: u64 = 30_000;
/// Edits that wait for the editor; the hub asks for one at a time.
const EDITS_MAX: usize = 4;

/// Tells a hub what is unsaved here, and how to reach it, until what is returned is dropped.
pub fn attach(door: &Door, repository: &Arc<Repository>, hub: &Hub) -> Attached {
    let (apply, mut requests) = mpsc::channel::<EditRequest>(EDITS_MAX);
    let documents = door.documents.subscribe();
    let root = repository.root.clone();
    let buffers = move || {
        let touched = documents.borrow().touched(&root);
        touched.unsaved().into_iter().map(|(path, text)| Buffer { path, text }).collect()
    };
    let root = repository.root.clone();
    let attached = hub.attach_editor(Editor { root, buffers: Arc::new(buffers), apply });
    let door = door.clone();
    let repository = repository.clone();
    tokio::spawn(async move {
        while let Some(request) = requests.recv().await {
            let asked = apply_edits(&door, &repository, &request.edits);
            let applied = door.over.run_until_cancelled(asked).await.unwrap_or(false);
            let _ = request.reply.send(applied);
        }
    });
    attached
}

/// All of them or none: true only where the editor said that it applied them.
async fn apply_edits(door: &Door, repository: &Repository, edits: &[(String, String)]) -> bool {
    if !door.wishes().apply_edit {
        return false;
    }
    let Some(edit) = workspace_edit(door, repository, edits) else { return false };
    let label = Some("Baton: apply as edits".to_owned());
    let params = ApplyWorkspaceEditParams { label, edit };
    let asked = door.client.send_request::<ApplyWorkspaceEdit>(params);
    match tokio::time::timeout(Duration::from_millis(APPLY_MS_MAX), asked).await {
        Ok(Ok(answer)) => answer.applied,
        Ok(Err(why)) => {
            tracing::warn!(%why, "the editor did not apply an edit");
            false
        }
        Err(_) => {
            tracing::warn!("the editor did not answer an edit");
            false
        }
    }
}

/// `None`: one of the documents is not open here any more.
fn workspace_edit(
    door: &Door,
    repository: &Repository,
    edits: &[(String, String)],
) -> Option<WorkspaceEdit> {
    let documents = door.documents.borrow();
    let encoding = documents.encoding();
    let mut changes = Vec::new();
    for (path, new_text) in edits {
        let document = documents.at(&repository.root.join(path))?;
        changes.push((document, difference(document, new_text, encoding)));
    }
    if !door.wishes().versioned_edits {
        let changes = changes.into_iter();
        return Some(WorkspaceEdit {
            changes: Some(changes.map(|(it, edit)| (it.uri.clone(), vec![edit])).collect()),
            ..WorkspaceEdit::default()
        });
    }
    let changes = changes.into_iter().map(|(it, edit)| TextDocumentEdit {
        text_document: OptionalVersionedTextDocumentIdentifier {
            uri: it.uri.clone(),
            version: Some(it.version),
        },
        edits: vec![OneOf::Left(edit)],
    });
    Some(WorkspaceEdit {
        document_changes: Some(DocumentChanges::Edits(changes.collect())),
        ..WorkspaceEdit::default()
    })
}

/// One edit over the lines that differ, so that the cursor and marks elsewhere stay in place.
fn difference(document: &Document, new: &str, encoding: super::Encoding) -> TextEdit {
    let old = document.text.to_string();
    let new = new.strip_prefix('\u{feff}').unwrap_or(new);
    let head = common_lines(old.split_inclusive('\n'), new.split_inclusive('\n'));
    let (old_rest, new_rest) = (&old[head..], &new[head..]);
    let tail =
        common_lines(old_rest.split_inclusive('\n').rev(), new_rest.split_inclusive('\n').rev());
    let start = document.text.position(head, encoding);
    let end = document.text.position(old.len() - tail, encoding);
    TextEdit { range: Range::new(start, end), new_text: new[head..new.len() - tail].to_owned() }
}

/// The length of the lines that both begin with.
fn common_lines<'a>(
    old: impl Iterator<Item = &'a str>,
    new: impl Iterator<Item = &'a str>,
) -> usize {
    old.zip(new).take_while(|(a, b)| a == b).map(|(a, _)| a.len()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lsp::documents::{Documents, Encoding};
    use std::str::FromStr;

    fn applied(old: &str, new: &str) -> (String, String) {
        let uri = crate::lsp::types::Uri::from_str("untitled:x").unwrap();
        let mut documents = Documents::default();
        documents.open(uri.clone(), 1, old.to_owned());
        let document = documents.get(&uri).unwrap();
        let edit = difference(document, new, Encoding::Utf16);
        let mut text = old.to_owned();
        text.replace_range(document.bytes_of(edit.range, Encoding::Utf16), &edit.new_text);
        (text, edit.new_text)
    }

    #[test]
    fn only_the_lines_that_differ_are_replaced() {
        let (text, edit) = applied("a\nb\nc\nd\n", "a\nB\nc\nd\n");
        assert_eq!((text.as_str(), edit.as_str()), ("a\nB\nc\nd\n", "B\n"));
        assert_eq!(applied("a\n", "a\n").1, "");
        assert_eq!(applied("", "x\ny").0, "x\ny");
        assert_eq!(applied("x\ny", "").0, "");
        assert_eq!(applied("a\na\n", "a\na\na\n").0, "a\na\na\n");
        assert_eq!(applied("ä🦀\r\nb", "ä🦀\r\nb\n").0, "ä🦀\r\nb\n");
    }
}
