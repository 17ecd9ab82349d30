//! Wire types: all that editors see, and what the command line prints with `--json`.
//!
//! Everything additive: a field may come, none changes its meaning. A client ignores fields and shows
//! names that it does not know. Ids are strings (`T17 R42 A3 Q2`), unique within a repository, so
//! every message that carries one carries `repository` too. Times are `*At`, unix milliseconds.
//! `docs/protocol.md` and the types of the clients are written from these types.

mod answer;
mod board;
mod clients;
mod diff;
mod document;
mod hello;
mod moment;
mod plan;
mod replay;
mod report;
mod requests;
mod stream;
mod task;

pub use board::{ApprovalView, BoardView, FileLineView, QuestionView, TaskLineView};
pub use clients::{lua, typescript};
pub use diff::{DiffView, FileDiffView, HunkView};
pub use document::describe;
pub use hello::{DaemonStatus, Hello, RepositoryStatus, Wants, Welcome};
pub use moment::answer_name;
pub use plan::PlanView;
pub use replay::{ReplayParams, ReplayView, exit_text};
pub use report::{
    CheckoutResult, DigestLineView, DigestView, FactView, MemoryParams, MemoryView, PersonView,
    RatesView, RememberedView, ReportParams, ReportView, StepRowView, TaskStepsView, ViewedParams,
};
pub use requests::{
    AnswerApprovalParams, AnswerApprovalResult, AnswerQuestionParams, BatonOffer, BatonWish,
    BoardChangedParams, BoardParams, ChosenHunks, DelegateParams, DelegateResult, DocumentNamed,
    DoneResult, ErrorData, LineComment, PositionAt, Problem, RangeIn, SayParams, TaskParams,
};
pub use stream::{
    AttentionParams, FileParams, FileView, RunProgress, RunProgressParams, StepView,
    TranscriptParams, TranscriptView, WatchParams, WatchResult,
};
pub use task::{
    BaseView, BriefView, CostView, DecisionView, HandoffView, MomentView, PlaceView, ReceiptView,
    RunView, StateName, TaskView, TestsView, WordsView, by, role_of,
};

/// One integer; what is additive is told by the lists in [`BatonOffer`].
pub const PROTOCOL_VERSION: u32 = 1;

/// The door of the command line, as decisions record it.
pub const DOOR_TERMINAL: &str = "terminal";

/// A stable name for what a refusal is about.
pub fn refusal_name(refusal: &team::Refusal) -> &'static str {
    match refusal {
        team::Refusal::NoSuchTask(_) => "noSuchTask",
        team::Refusal::NoSuchApproval(_) => "noSuchApproval",
        team::Refusal::NoSuchQuestion(_) => "noSuchQuestion",
        team::Refusal::NoSuchMemo(_) => "noSuchMemo",
        team::Refusal::StaleRun(_) => "staleRun",
        team::Refusal::Closed(_) => "closed",
        team::Refusal::AlreadyAnswered(_) => "alreadyAnswered",
        team::Refusal::Changed(_) => "changed",
        team::Refusal::NeedsTicks(_) => "needsTicks",
        team::Refusal::Gate(_) => "gate",
        team::Refusal::Not(_) => "not",
    }
}

/// Names of the requests.
pub mod method {
    pub const DELEGATE: &str = "baton/delegate";
    pub const BOARD: &str = "baton/board";
    pub const TASK: &str = "baton/task";
    pub const DIFF: &str = "baton/diff";
    pub const ANSWER_APPROVAL: &str = "baton/answerApproval";
    pub const ANSWER_QUESTION: &str = "baton/answerQuestion";
    pub const CANCEL: &str = "baton/cancel";
    pub const RETRY: &str = "baton/retry";
    pub const PARK: &str = "baton/park";
    pub const UNDO: &str = "baton/undo";
    pub const REPLAY: &str = "baton/replay";
    pub const SAY: &str = "baton/say";
    pub const TRANSCRIPT: &str = "baton/transcript";
    pub const FILE: &str = "baton/file";
    pub const WATCH: &str = "baton/watch";
    pub const VIEWED: &str = "baton/viewed";
    pub const REPORT: &str = "baton/report";
    pub const MEMORY: &str = "baton/memory";
    pub const CHECKOUT: &str = "baton/checkout";
    pub const BOARD_CHANGED: &str = "baton/boardChanged";
    pub const RUN_PROGRESS: &str = "baton/runProgress";
    pub const ATTENTION: &str = "baton/attention";

    /// Every request, in the order of the documentation.
    pub const REQUESTS: [&str; 19] = [
        DELEGATE,
        BOARD,
        TASK,
        TRANSCRIPT,
        DIFF,
        FILE,
        ANSWER_APPROVAL,
        ANSWER_QUESTION,
        CANCEL,
        PARK,
        RETRY,
        UNDO,
        REPLAY,
        SAY,
        WATCH,
        VIEWED,
        REPORT,
        MEMORY,
        CHECKOUT,
    ];
    /// Every notification.
    pub const NOTIFICATIONS: [&str; 3] = [BOARD_CHANGED, RUN_PROGRESS, ATTENTION];
}

/// Error codes of ours; JSON-RPC's and LSP's keep their meaning.
pub mod code {
    /// The rules forbid it; nothing changed.
    pub const REFUSED: i64 = 1;
    /// The world failed; `data.hint` says what to do.
    pub const FAILED: i64 = 2;
    /// No such repository, task, approval or question; or none is meant.
    pub const UNKNOWN: i64 = 3;
    /// The repository is still being opened.
    pub const OPENING: i64 = -32002;
}
