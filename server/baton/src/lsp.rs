//! The editor's door: a language server over any pair of streams. A request becomes an input of a
//! hub; a hub's board becomes notifications, messages and code actions.
//!
//! Three rules hold for every handler. What it enqueues, it enqueues before its first `.await`, so
//! that the order of the messages is the order of the inputs. It never waits for the client. And a
//! decision is an explicit request that names what it decides, never the fate of a dialog.

mod actions;
mod answers;
mod branches;
mod commands;
mod documents;
mod edits;
mod errors;
mod events;
mod findings;
mod frames;
mod hover;
mod insight;
mod lenses;
mod ordered;
mod places;
mod plain;
mod progress;
mod repositories;
mod requests;
mod selection;
mod streams;
mod transcripts;
mod types;
mod wishes;

use crate::config::Home;
use crate::hub::Hubs;
use crate::protocol::method;
use crate::sandbox::Environment;
use documents::{Documents, Encoding};
use frames::Ended;
use ordered::{Ordered, REQUESTS_AT_ONCE_MAX};
use repositories::Repositories;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use streams::Streams;
use team::TaskId;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use tower_lsp::jsonrpc::Result;
use tower_lsp::{Client, LanguageServer, LspService};
use types::{
    CodeActionParams, CodeActionResponse, CodeLens, CodeLensParams, DidChangeConfigurationParams,
    DidChangeTextDocumentParams, DidChangeWorkspaceFoldersParams, DidCloseTextDocumentParams,
    DidOpenTextDocumentParams, DidSaveTextDocumentParams, ExecuteCommandParams, Hover, HoverParams,
    InitializeParams, InitializeResult, InitializedParams, LSPAny, ServerInfo,
};
use wishes::Wishes;

/// How long a goodbye waits for hubs to be closed; editors kill a server that takes 2 s.
const CLOSING_MS_MAX: u64 = 1_500;

/// What a connection needs to know besides what its client says.
pub struct Options {
    /// Where repositories are opened.
    pub hubs: Hubs,
    /// `PATH` and the variables of tool chains at the editor; tasks delegated here keep them.
    pub environment: BTreeMap<String, String>,
    /// Ends the conversation as if the editor had gone.
    pub stop: CancellationToken,
}

/// Serves one editor until it says `exit`, or is gone. Returns the exit code that LSP asks for: 0
/// after `shutdown` or when the input simply ended, 1 for an `exit` out of the blue or a stream that
/// makes no sense.
pub async fn serve<R, W>(input: R, output: W, options: Options) -> i32
where
    R: AsyncRead + Unpin + Send,
    W: AsyncWrite + Unpin + Send + 'static,
{
    let Options { hubs, environment, stop } = options;
    let over = CancellationToken::new();
    let _ends_with_this = over.clone().drop_guard();
    let was_shut_down = watch::Sender::new(false);
    let goodbye = was_shut_down.clone();
    let changed = Arc::new(Notify::new());
    let repositories = Arc::new(Repositories::new(hubs, over.clone(), changed.clone()));
    let (service, socket) = LspService::build(|client| {
        Door(Arc::new(Inside {
            client,
            documents: watch::Sender::new(Documents::default()),
            repositories,
            wishes: OnceLock::new(),
            followed: watch::Sender::new(BTreeSet::new()),
            keys: watch::Sender::new(Vec::new()),
            blamed: watch::Sender::new(Vec::new()),
            changing: watch::Sender::default(),
            streams: watch::Sender::new(Streams::default()),
            was_shut_down,
            changed,
            environment,
            over,
            touched: Notify::new(),
        }))
    })
    .custom_method(method::DELEGATE, Door::delegate)
    .custom_method(method::BOARD, Door::board)
    .custom_method(method::TASK, Door::task)
    .custom_method(method::DIFF, Door::diff)
    .custom_method(method::ANSWER_APPROVAL, Door::answer_approval)
    .custom_method(method::ANSWER_QUESTION, Door::answer_question)
    .custom_method(method::CANCEL, Door::cancel)
    .custom_method(method::RETRY, Door::retry)
    .custom_method(method::PARK, Door::park)
    .custom_method(method::UNDO, Door::undo)
    .custom_method(method::REPLAY, Door::replay)
    .custom_method(method::SAY, Door::tell_team)
    .custom_method(method::TRANSCRIPT, Door::transcript)
    .custom_method(method::FILE, Door::file)
    .custom_method(method::WATCH, Door::watch)
    .custom_method(method::VIEWED, Door::viewed)
    .custom_method(method::REPORT, Door::report)
    .custom_method(method::MEMORY, Door::memory)
    .custom_method(method::CHECKOUT, Door::checkout)
    .finish();
    let service = Ordered::new(service, REQUESTS_AT_ONCE_MAX);
    let ended = tokio::select! {
        ended = frames::converse(input, output, socket, service) => ended,
        () = stop.cancelled() => Ended::Gone,
    };
    let was_shut_down = *goodbye.borrow();
    match ended {
        Ended::Gone => 0,
        Ended::Exit => i32::from(!was_shut_down),
        Ended::Broken => 1,
    }
}

/// Serves the editor that started this process, over its standard input and output; `said` is what was
/// read of that already. Returns the exit code; a reader may still be blocked on the input, so the
/// caller ends the process.
pub fn run_in_process(said: Vec<u8>) -> i32 {
    let run = || -> std::result::Result<i32, team::Failure> {
        let broken = |why: std::io::Error| {
            team::Failure::new(team::Code::Command, "start the language server").context(why)
        };
        let home = Home::from_env()?;
        let output = take_stdout().map_err(broken)?;
        let runtime =
            tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(broken)?;
        let stop = CancellationToken::new();
        runtime.spawn(stop_when_told(stop.clone()));
        let code = runtime.block_on(async {
            let hubs = Hubs::new(home);
            let (environment, input) =
                (Environment::profile(), said.as_slice().chain(tokio::io::stdin()));
            let options = Options { hubs: hubs.clone(), environment, stop };
            let code = serve(input, output, options).await;
            let wait = Duration::from_millis(CLOSING_MS_MAX);
            if tokio::time::timeout(wait, hubs.close()).await.is_err() {
                tracing::warn!("a hub took too long to close");
            }
            code
        });
        runtime.shutdown_background();
        Ok(code)
    };
    match run() {
        Ok(code) => code,
        Err(failure) => {
            use std::io::Write;
            let _ = writeln!(std::io::stderr(), "baton: failed to serve: {failure}");
            1
        }
    }
}

/// Standard output for the protocol alone: whatever else writes to it lands in standard error, and no
/// child holds it open.
fn take_stdout() -> std::io::Result<tokio::fs::File> {
    let output = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdout(), 0)?;
    rustix::stdio::dup2_stdout(rustix::stdio::stderr())?;
    Ok(tokio::fs::File::from_std(output.into()))
}

/// A polite request to end is heard: what was under way goes on at the next start.
async fn stop_when_told(stop: CancellationToken) {
    use tokio::signal::unix::{SignalKind, signal};
    if let Ok(mut terminate) = signal(SignalKind::terminate()) {
        terminate.recv().await;
        stop.cancel();
    }
}

/// One connection, shared by its handlers and its background tasks.
#[derive(Clone)]
pub struct Door(Arc<Inside>);

pub struct Inside {
    client: Client,
    documents: watch::Sender<Documents>,
    repositories: Arc<Repositories>,
    wishes: OnceLock<Wishes>,
    /// Tasks that this person delegated or decided on here, by repository.
    followed: watch::Sender<BTreeSet<(String, TaskId)>>,
    /// Delegations by the client's own key.
    keys: watch::Sender<Vec<requests::Keyed>>,
    streams: watch::Sender<Streams>,
    blamed: watch::Sender<Vec<hover::Blamed>>,
    was_shut_down: watch::Sender<bool>,
    /// Where Engineers are at work in the open documents, as of the last look.
    changing: watch::Sender<findings::Changing>,
    /// Something that this client is told about may have changed.
    changed: Arc<Notify>,
    /// A document or a run's files may have changed.
    touched: Notify,
    environment: BTreeMap<String, String>,
    /// The connection has ended.
    over: CancellationToken,
}

impl std::ops::Deref for Door {
    type Target = Inside;
    fn deref(&self) -> &Inside {
        &self.0
    }
}

impl Inside {
    /// Work in the background that ends with the connection.
    fn while_connected(&self, work: impl Future<Output = ()> + Send + 'static) {
        let over = self.over.clone();
        tokio::spawn(async move { over.run_until_cancelled(work).await });
    }

    fn wishes(&self) -> Wishes {
        self.wishes.get().copied().unwrap_or(Wishes::NONE)
    }
}

/// The folders that `initialize` names, newest way of naming them first.
fn folders(params: &InitializeParams) -> Vec<types::Uri> {
    if let Some(folders) = params.workspace_folders.as_ref().filter(|it| !it.is_empty()) {
        return folders.iter().map(|it| it.uri.clone()).collect();
    }
    #[expect(deprecated, reason = "older clients name their folder only this way")]
    let root = params.root_uri.clone();
    root.into_iter().collect()
}

impl LanguageServer for Door {
    async fn initialize(&self, params: InitializeParams) -> Result<InitializeResult> {
        let wishes = Wishes::of(&params);
        let _ = self.wishes.set(wishes);
        self.streams.send_replace(Streams::new(wishes.run_progress));
        self.documents.send_modify(|it| it.set_encoding(wishes.encoding));
        for folder in folders(&params) {
            if let Some(path) = places::file(&folder) {
                self.repositories.add(path);
            }
        }
        Ok(InitializeResult {
            capabilities: wishes::capabilities(wishes.encoding),
            server_info: Some(ServerInfo {
                name: "baton".to_owned(),
                version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            }),
            ..InitializeResult::default()
        })
    }

    async fn initialized(&self, _: InitializedParams) {
        self.while_connected(events::announce(self.clone()));
        self.while_connected(findings::tell(self.clone()));
    }

    async fn shutdown(&self) -> Result<()> {
        self.was_shut_down.send_replace(true);
        Ok(())
    }

    async fn did_open(&self, params: DidOpenTextDocumentParams) {
        let it = params.text_document;
        let file = places::file(&it.uri);
        self.documents.send_modify(|all| all.open(it.uri, it.version, it.text));
        self.touch();
        // An editor that was started without a folder: the file says which repository is meant.
        if let Some(folder) = file.as_deref().and_then(std::path::Path::parent)
            && self.repositories.is_empty()
        {
            self.repositories.add(folder.to_owned());
        }
    }

    async fn did_change(&self, params: DidChangeTextDocumentParams) {
        let it = params.text_document;
        let changes = params.content_changes;
        self.documents.send_modify(|all| all.change(&it.uri, it.version, &changes));
        self.touch();
    }

    async fn did_save(&self, params: DidSaveTextDocumentParams) {
        self.documents.send_modify(|all| all.saved(&params.text_document.uri));
    }

    async fn did_close(&self, params: DidCloseTextDocumentParams) {
        self.documents.send_modify(|all| all.close(&params.text_document.uri));
        self.touch();
    }

    async fn did_change_workspace_folders(&self, params: DidChangeWorkspaceFoldersParams) {
        for folder in params.event.removed {
            if let Some(path) = places::file(&folder.uri) {
                self.repositories.remove(&path);
            }
        }
        for folder in params.event.added {
            if let Some(path) = places::file(&folder.uri) {
                self.repositories.add(path);
            }
        }
    }

    /// Settings of an editor's say nothing here: Baton's own are in the user's file, which is read when
    /// a repository is opened.
    async fn did_change_configuration(&self, _: DidChangeConfigurationParams) {}

    async fn code_action(&self, params: CodeActionParams) -> Result<Option<CodeActionResponse>> {
        Ok(Some(self.actions(&params)))
    }

    async fn code_lens(&self, params: CodeLensParams) -> Result<Option<Vec<CodeLens>>> {
        Ok(Some(self.lenses(&params)))
    }

    async fn hover(&self, params: HoverParams) -> Result<Option<Hover>> {
        Ok(self.behind(params).await)
    }

    async fn execute_command(&self, params: ExecuteCommandParams) -> Result<Option<LSPAny>> {
        self.run_command(params).await.map(Some)
    }
}
