//! What a client can do and asked for, read once from `initialize`.

use super::documents::Encoding;
use super::types::{
    CodeActionKind, CodeActionOptions, CodeActionProviderCapability, CodeLensOptions,
    ExecuteCommandOptions, HoverProviderCapability, InitializeParams, SaveOptions,
    ServerCapabilities, TextDocumentSyncCapability, TextDocumentSyncKind, TextDocumentSyncOptions,
    TextDocumentSyncSaveOptions, WorkspaceFoldersServerCapabilities, WorkspaceServerCapabilities,
};
use super::{actions, commands};
use crate::protocol::{BatonOffer, BatonWish, DOOR_TERMINAL, PROTOCOL_VERSION, method};
use serde::Deserialize;
use serde_json::{Value, json};

/// What we may send to this client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wishes {
    pub encoding: Encoding,
    /// Code actions as objects; else bare commands.
    pub literals: bool,
    /// `$/progress` of ours.
    pub progress: bool,
    /// `workspace/applyEdit`.
    pub apply_edit: bool,
    /// Edits that name the version of a document.
    pub versioned_edits: bool,
    /// `baton/boardChanged`.
    pub board_changed: bool,
    /// `window/showMessage` about approvals and ends.
    pub messages: bool,
    /// `baton/runProgress` of every run.
    pub run_progress: bool,
    /// It is the command line, not an editor.
    pub is_terminal: bool,
    /// `textDocument/codeLens`.
    pub lenses: bool,
    /// `workspace/codeLens/refresh`.
    pub refreshes_lenses: bool,
    /// `textDocument/publishDiagnostics`.
    pub diagnostics: bool,
}

impl Wishes {
    /// Before `initialize` has told.
    pub const NONE: Wishes = Wishes {
        encoding: Encoding::Utf16,
        literals: false,
        progress: false,
        apply_edit: false,
        versioned_edits: false,
        board_changed: false,
        messages: false,
        run_progress: false,
        is_terminal: false,
        lenses: false,
        refreshes_lenses: false,
        diagnostics: false,
    };

    /// Nothing is sent that the client has not announced.
    pub fn of(params: &InitializeParams) -> Wishes {
        let can = &params.capabilities;
        let general = can.general.as_ref();
        let offered = general.and_then(|it| it.position_encodings.as_deref());
        let workspace = can.workspace.as_ref();
        let text = can.text_document.as_ref();
        let action = text.and_then(|it| it.code_action.as_ref());
        let window = can.window.as_ref();
        let lens = workspace.and_then(|it| it.code_lens.as_ref());
        let edit = workspace.and_then(|it| it.workspace_edit.as_ref());
        let announced = can.experimental.as_ref().and_then(|it| it.get("baton"));
        let wish = announced.and_then(|it| BatonWish::deserialize(it).ok());
        let options = params.initialization_options.as_ref();
        let asked = options.and_then(|it| it.pointer("/baton/notifications"));
        Wishes {
            encoding: Encoding::negotiate(offered),
            literals: action.is_some_and(|it| it.code_action_literal_support.is_some()),
            progress: window.and_then(|it| it.work_done_progress) == Some(true),
            apply_edit: workspace.and_then(|it| it.apply_edit) == Some(true),
            versioned_edits: edit.and_then(|it| it.document_changes) == Some(true),
            board_changed: is_on(announced) || asked == Some(&Value::Bool(true)),
            messages: wish.as_ref().and_then(|it| it.show_message) != Some(false),
            run_progress: wish.as_ref().and_then(|it| it.run_progress) == Some(true),
            is_terminal: wish.and_then(|it| it.door).as_deref() == Some(DOOR_TERMINAL),
            lenses: text.is_some_and(|it| it.code_lens.is_some()),
            refreshes_lenses: lens.and_then(|it| it.refresh_support) == Some(true),
            diagnostics: text.is_some_and(|it| it.publish_diagnostics.is_some()),
        }
    }
}

/// `experimental.baton` counts as announced unless it is absent, null or false.
fn is_on(announced: Option<&Value>) -> bool {
    !matches!(announced, None | Some(Value::Null | Value::Bool(false)))
}

/// What `initialize` answers.
pub fn capabilities(encoding: Encoding) -> ServerCapabilities {
    let kinds = [actions::DELEGATE_KIND, actions::DECIDE_KIND];
    ServerCapabilities {
        position_encoding: Some(encoding.kind()),
        text_document_sync: Some(TextDocumentSyncCapability::Options(TextDocumentSyncOptions {
            open_close: Some(true),
            change: Some(TextDocumentSyncKind::INCREMENTAL),
            save: Some(TextDocumentSyncSaveOptions::SaveOptions(SaveOptions {
                include_text: Some(false),
            })),
            ..TextDocumentSyncOptions::default()
        })),
        code_action_provider: Some(CodeActionProviderCapability::Options(CodeActionOptions {
            code_action_kinds: Some(kinds.map(CodeActionKind::new).to_vec()),
            ..CodeActionOptions::default()
        })),
        code_lens_provider: Some(CodeLensOptions { resolve_provider: Some(false) }),
        hover_provider: Some(HoverProviderCapability::Simple(true)),
        execute_command_provider: Some(ExecuteCommandOptions {
            commands: commands::ALL.map(str::to_owned).to_vec(),
            ..ExecuteCommandOptions::default()
        }),
        workspace: Some(WorkspaceServerCapabilities {
            workspace_folders: Some(WorkspaceFoldersServerCapabilities {
                supported: Some(true),
                change_notifications: Some(super::types::OneOf::Left(true)),
            }),
            ..WorkspaceServerCapabilities::default()
        }),
        experimental: Some(json!({ "baton": offer() })),
        ..ServerCapabilities::default()
    }
}

fn offer() -> BatonOffer {
    BatonOffer {
        protocol_version: PROTOCOL_VERSION,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        requests: method::REQUESTS.map(str::to_owned).to_vec(),
        notifications: method::NOTIFICATIONS.map(str::to_owned).to_vec(),
    }
}
