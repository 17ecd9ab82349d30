// The wire types of the server, written from its own: UPDATE=1 cargo test -p baton --test e2e document
// Fields may come, unknown ones are ignored; unknown names are shown as they are.

export const PROTOCOL_VERSION = 1;

export const method = {
  delegate: "baton/delegate",
  board: "baton/board",
  task: "baton/task",
  transcript: "baton/transcript",
  diff: "baton/diff",
  file: "baton/file",
  answerApproval: "baton/answerApproval",
  answerQuestion: "baton/answerQuestion",
  cancel: "baton/cancel",
  park: "baton/park",
  retry: "baton/retry",
  undo: "baton/undo",
  replay: "baton/replay",
  say: "baton/say",
  watch: "baton/watch",
  viewed: "baton/viewed",
  report: "baton/report",
  memory: "baton/memory",
  checkout: "baton/checkout",
  boardChanged: "baton/boardChanged",
  runProgress: "baton/runProgress",
  attention: "baton/attention",
} as const;

/** Params and result of each request. */
export interface Requests {
  "baton/delegate": { params: DelegateParams; result: DelegateResult };
  "baton/board": { params: BoardParams; result: BoardView };
  "baton/task": { params: TaskParams; result: TaskView };
  "baton/transcript": { params: TranscriptParams; result: TranscriptView };
  "baton/diff": { params: TaskParams; result: DiffView };
  "baton/file": { params: FileParams; result: FileView };
  "baton/answerApproval": { params: AnswerApprovalParams; result: AnswerApprovalResult };
  "baton/answerQuestion": { params: AnswerQuestionParams; result: DoneResult };
  "baton/cancel": { params: TaskParams; result: DoneResult };
  "baton/park": { params: TaskParams; result: DoneResult };
  "baton/retry": { params: TaskParams; result: DoneResult };
  "baton/undo": { params: TaskParams; result: DoneResult };
  "baton/replay": { params: ReplayParams; result: ReplayView };
  "baton/say": { params: SayParams; result: DoneResult };
  "baton/watch": { params: WatchParams; result: WatchResult };
  "baton/viewed": { params: ViewedParams; result: DoneResult };
  "baton/report": { params: ReportParams; result: ReportView };
  "baton/memory": { params: MemoryParams; result: MemoryView };
  "baton/checkout": { params: TaskParams; result: CheckoutResult };
}

/** Params of each notification. */
export interface Notifications {
  "baton/boardChanged": BoardChangedParams;
  "baton/runProgress": RunProgressParams;
  "baton/attention": AttentionParams;
}

/** Answers an approval. The first answer decides; a later one is refused and changes nothing. */
export interface AnswerApprovalParams {
  repository?: string | null;
  /** `A3`. */
  approval: string;
  /** As the approval showed it. */
  revision?: string | null;
  /** `approve`, `apply`, `revise`, `rebuild` or `reject`. Any other word is refused. */
  answer: string;
  /** For `approve`: the paths that needed a tick and got it. */
  ticked?: string[];
  /** For `approve` of a landing: these hunks alone, as `baton/diff` names them; the others are left. Their candidate is checked by itself; green it lands under this answer, else the whole change is asked about again. Absent: all of it. */
  hunks?: ChosenHunks[] | null;
  /** For `revise`: what to do differently; for `reject`: why. */
  text?: string | null;
  /** For `revise`: what is said about single lines; `text` may be absent then. */
  comments?: LineComment[];
}

export interface AnswerApprovalResult {
  repository: string;
  approval: string;
  task: string;
  /** For people: what was decided. */
  says: string;
}

/** Answers a question. */
export interface AnswerQuestionParams {
  repository?: string | null;
  /** `Q2`. */
  question: string;
  text: string;
}

/** One approval: what it is about, the evidence, and how it may be answered. */
export interface ApprovalView {
  repository: string;
  /** `A3`. */
  id: string;
  task: string;
  title: string;
  /** `landing`, `edits`, `commands`, `setup`, `plan`, or `stage`: whether to go on. */
  subject: string;
  /** The evidence in one line. */
  proof: string;
  /** Send it back with the answer: it is refused if the change is no longer this one. Absent where the approval's id alone names what is approved. */
  revision?: string | null;
  files: FileLineView[];
  added: number;
  removed: number;
  /** Receipts of the required checks. */
  receipts: string[];
  /** Paths that need a tick of their own in the answer. */
  ticks: string[];
  /** How many hunks an answer can choose among; 0 where it is for the whole. */
  hunks: number;
  /** Why it can't land on the branch; or the exact commands; or why a person is asked. */
  why: string[];
  /** What is to be built, of a plan. Approving it lands nothing. */
  plan?: PlanView | null;
  notes: string[];
  /** What may be answered: `approve`, `apply`, `revise`, `rebuild`, `reject`. Empty once it is answered or void. */
  answers: string[];
  /** `open`, `answered` or `void`. */
  state: string;
  /** For people: who answered what, or why it is void. */
  outcome?: string | null;
  askedAt: number;
  /** How long a person was measured to look at it, in milliseconds. */
  viewedMs: number;
}

/** Somebody is needed. It points; nothing is decided by it. */
export interface AttentionParams {
  repository: string;
  /** `approval`, `question` or `parked`. */
  kind: string;
  task: string;
  /** The approval or the question. */
  id?: string | null;
  /** One line for people. */
  says: string;
}

/** Where a task starts and where it shall land. */
export interface BaseView {
  /** The target branch's commit at delegation. */
  base: string;
  /** A commit of what the person saw; it lies in Baton's own store. */
  seen: string;
  /** Full name of the branch. */
  target: string;
  says: string;
  /** Paths that were not snapshotted, each with the reason. */
  leftOut: string[];
}

/** What `initialize` offers under `capabilities.experimental.baton`. */
export interface BatonOffer {
  protocolVersion: number;
  version: string;
  /** The requests that are understood. */
  requests: string[];
  notifications: string[];
}

/** What a client may announce under `capabilities.experimental.baton`. */
export interface BatonWish {
  /** The newest protocol the client speaks; unset: 1. */
  protocolVersion?: number | null;
  /** False: no `window/showMessage` about approvals and ends; the client shows them itself. */
  showMessage?: boolean | null;
  /** True: `baton/runProgress` tells of every run, watched or not. */
  runProgress?: boolean | null;
  /** `terminal` for the command line; what is decided here is recorded under it. Absent: `editor`. */
  door?: string | null;
}

/** The board is now at `version`. Level-triggered: a client that missed ten is right after one. */
export interface BoardChangedParams {
  repository: string;
  version: number;
  /** The board itself, where it is small enough; else ask with `baton/board`. */
  board?: BoardView | null;
}

/** Asks for the board of a repository. */
export interface BoardParams {
  /** Absent: the only one that is open. */
  repository?: string | null;
}

/** What is true now in one repository. */
export interface BoardView {
  repository: string;
  /** Grows with every event; two boards of one version are equal. */
  version: number;
  /** Newest first. */
  tasks: TaskLineView[];
  /** Those that wait, oldest first. */
  approvals: ApprovalView[];
  questions: QuestionView[];
  spent: CostView;
}

/** What the person asked for. */
export interface BriefView {
  text: string;
  /** `commandLine`, `sentence`, `selection` or `diagnostic`. */
  origin: string;
  place?: PlaceView | null;
  /** `seen` (unsaved text too) or `head` (the last commit). */
  start: string;
  landByRule: boolean;
  /** What the person called it, where they did. */
  class?: string | null;
  /** What the person gave it at most, where they did: `$0.50, 200000 tokens`. */
  budget?: string | null;
}

/** A checkout of a task's result, made for a person to open. */
export interface CheckoutResult {
  repository: string;
  /** `T17`. */
  task: string;
  /** The folder, absolute. It is cleared away once newer ones were made; work in it is saved in Baton's own store before. */
  path: string;
  commit: string;
  /** For people. */
  says: string;
}

/** What is taken of one file. */
export interface ChosenHunks {
  /** Relative to the root of the repository. */
  path: string;
  /** Ids of hunks. Absent: all of the file's. */
  hunks?: string[] | null;
}

/** What model calls cost, as the provider reported it. */
export interface CostView {
  calls: number;
  inputTokens: number;
  outputTokens: number;
  cacheReadTokens: number;
  cacheWriteTokens: number;
  /** Micro-dollars; 0 where the price is not known. */
  micros: number;
}

/** What the daemon is doing. */
export interface DaemonStatus {
  startedAt: number;
  /** Open connections besides this one. */
  connections: number;
  repositories: RepositoryStatus[];
}

/** A choice somebody made. */
export interface DecisionView {
  /** `D3`. */
  id: string;
  /** `person (editor)`, `rule`, `deadline`, or a role. */
  by: string;
  what: string;
  why: string;
  /** No role is told of it any more. */
  forgotten: boolean;
}

/** Gives the team a task. */
export interface DelegateParams {
  /** Needed only where neither the document nor a single workspace folder says which. */
  repository?: string | null;
  /** The person's words. Absent: the selection or the line speaks for itself. */
  text?: string | null;
  textDocument?: DocumentNamed | null;
  range?: RangeIn | null;
  diagnostics?: Problem[];
  /** `selection`, `diagnostic`, `todo`, `tests` or `question`: what is wanted of the place; `commandLine`: no place, words alone. Absent: told from the range. */
  origin?: string | null;
  /** `seen` (the default: what the editor shows, unsaved text too) or `head` (the last commit). */
  base?: string | null;
  /** It may land by itself under the strict rule. */
  landByRule?: boolean;
  /** What the person calls it: `bug`, `feature`, `refactor`, `docs`, `chore` or `question`. Absent: the team decides. */
  class?: string | null;
  /** What it may use at most: `0.50` (US dollars), `200k tokens`, or both with a comma between. It only lowers the configured limits; a higher one is refused. */
  budget?: string | null;
  /** Made up by the client: a second request with the same key gives the same task. */
  key?: string | null;
}

export interface DelegateResult {
  repository: string;
  /** `T17`. */
  task: string;
  /** For people, where the words alone say what kind of task it is and five of that kind have ended: `about 4 min, $0.30; 7 of your last 9 bugs landed`. */
  expects?: string | null;
}

/** The whole change of a task, never an increment. */
export interface DiffView {
  repository: string;
  task: string;
  /** The commit on the left side. */
  from: string;
  /** The commit on the right side: the candidate, or the Engineer's head before there is one. */
  to: string;
  files: FileDiffView[];
  /** The same as a unified diff, as `git apply` reads it. */
  patch: string;
}

/** One task of a digest. */
export interface DigestLineView {
  /** `T17`. */
  task: string;
  title: string;
  /** `needsYou`, `parked`, `shipped` or `ended`. */
  column: string;
  /** What happens now, or how it ended, in words. */
  step: string;
}

/** What happened, and what waits now. */
export interface DigestView {
  /** `3 shipped, 1 needs you`; empty where nothing happened and nothing waits. */
  says: string;
  /** Landed, applied or answered since then. */
  shipped: number;
  /** Rejected, cancelled or taken back since then. */
  ended: number;
  needsYou: number;
  parked: number;
  working: number;
  /** What needs a person, then what stopped, then what ended; newest first each. */
  lines: DigestLineView[];
}

/** A document, as in LSP. */
export interface DocumentNamed {
  uri: string;
}

/** What a request about a task did. */
export interface DoneResult {
  repository: string;
  /** `T17`. */
  task: string;
  /** For people. */
  says: string;
}

/** `data` of an error of ours. */
export interface ErrorData {
  /** `refused`, `failed`, `opening` or `unknown`. */
  kind: string;
  /** What exactly, as a stable name: `alreadyAnswered`, `needsTicks`, `Locked`, ...; may be empty. */
  what?: string;
  /** The same request may succeed later. */
  retryable: boolean;
  /** What to do next; may be empty. */
  hint: string;
}

/** Something that was seen. */
export interface FactView {
  /** `F1`; absent: it is seen anew with each task, there is nothing to forget. */
  id?: string | null;
  /** `flaky`: a test that is put aside; `check`: a command that the project is checked with. */
  kind: string;
  what: string;
  /** The receipts that show it. */
  receipts: string[];
  /** From then on it counts no more. */
  untilAt?: number | null;
}

/** One file's change. */
export interface FileDiffView {
  file: FileLineView;
  /** Where it was before it was renamed. */
  oldPath?: string | null;
  /** What an answer can choose of it, in order: one id for each hunk, or one alone for all of it. */
  ids: string[];
  /** Why it can only be taken whole, where that is so (`it is new`, `it is renamed`, ...). */
  whole?: string | null;
  hunks: HunkView[];
}

/** A changed file in a list. */
export interface FileLineView {
  /** Relative to the root of the repository. */
  path: string;
  /** `added`, `deleted` or `modified`. */
  kind: string;
  added: number;
  removed: number;
}

/** Asks for one side of a change, for the editor's own view of differences. */
export interface FileParams {
  repository?: string | null;
  /** `T17`. */
  task: string;
  /** Relative to the root of the repository. */
  path: string;
  /** `from` or `to`, as `baton/diff` names the sides. */
  side: string;
}

/** One side of a change. */
export interface FileView {
  repository: string;
  task: string;
  path: string;
  commit: string;
  /** Absent: there is no such file on this side, it is no text, or it is too large to be shown. */
  text?: string | null;
  /** Why there is no text. */
  why?: string | null;
}

/** What a run left for the next one. */
export interface HandoffView {
  /** `R4`. */
  run: string;
  role: string;
  /** `triaged`, `designed`, `changed`, `validated`, `announced`, `answered` or `declined`. */
  kind: string;
  /** The main text: summary, notes, answer or reason. */
  text: string;
  /** `pass` or `fail`, of a validation. */
  verdict?: string | null;
  /** The commit that was handed over or validated. */
  head?: string | null;
  /** Acceptance criteria, paths, risks, receipts or citations. */
  points: string[];
  /** Where a reviewer should look first. */
  lookFirst?: string | null;
}

/** The caller's frame. */
export interface Hello {
  protocolVersion: number;
  /** The caller's own version, `1.2.3`. */
  version: string;
  wants: Wants;
  /** `PATH` and the variables of tool chains. A task keeps those that it was delegated with. */
  environment?: unknown;
  /** Names of the variables with keys, as the user's configuration has them, that are set at the caller. The keys themselves are not told. */
  keys?: string[];
}

/** Lines are counted from 1. */
export interface HunkView {
  /** Names it in an answer that takes some hunks only. The same lines keep it, wherever they stand. In a file that goes whole every hunk has the file's. */
  id: string;
  oldStart: number;
  oldLines: number;
  newStart: number;
  newLines: number;
  /** Lines with ` `, `+` or `-` in front. */
  text: string;
}

/** What a person says about one line of a change. */
export interface LineComment {
  /** Relative to the root of the repository. */
  path: string;
  /** Counted from 1. */
  line: number;
  /** `to` (the default: the line as it would land) or `from` (as it was), as in `baton/file`. */
  side?: string | null;
  /** The line itself is added by the server. All comments with `text` and their lines: at most 3,900 characters. */
  text: string;
}

/** Asks what the team remembers of a repository; with `forget`, first forgets something. */
export interface MemoryParams {
  repository?: string | null;
  /** Only decisions of this task. */
  task?: string | null;
  /** Only decisions of tasks that point at this file or folder, plan it or change it; relative to the root of the repository. */
  path?: string | null;
  /** `D3` or `F1`: no role is told of it again. */
  forget?: string | null;
}

/** Decisions and facts. What was forgotten is not among them. */
export interface MemoryView {
  repository: string;
  /** Newest first; at most 500. */
  decisions: RememberedView[];
  /** Of the whole repository, whatever was asked for. */
  facts: FactView[];
}

/** Something that happened, for people. */
export interface MomentView {
  at: number;
  text: string;
}

/** A person's time with a task, and what they did about it after handing it in. */
export interface PersonView {
  /** Measured, in milliseconds, without pauses of more than two minutes; absent: no client told of a review. */
  ms?: number | null;
  /** How often a review was opened. */
  views: number;
  /** Approvals that they answered. */
  approvals: number;
  /** Questions that they answered. */
  answers: number;
  /** Texts that they said to whoever worked on it. */
  words: number;
  retries: number;
  /** Of the approvals, those that sent it back. */
  sentBack: number;
}

/** Lines of a file as they were when the task was delegated. */
export interface PlaceView {
  /** Relative to the root of the repository. */
  path: string;
  /** Counted from 1, both ends included. */
  firstLine: number;
  lastLine: number;
  text: string;
}

/** How a change shall be made. */
export interface PlanView {
  approach: string;
  /** Globs, relative to the root of the repository: what the change may touch. Tests and documentation beside them go without saying. */
  paths: string[];
  /** How it will be shown that the change is right. */
  tests: string;
  /** Alternatives, each with the reason why not. */
  rejected: string[];
  assumptions: string[];
  decisions: string[];
}

/** A position in a document, as in LSP. */
export interface PositionAt {
  /** Counted from 0. */
  line: number;
  /** In the units that `initialize` agreed on. */
  character: number;
}

/** A problem as an editor shows it; LSP's `Diagnostic` fits. */
export interface Problem {
  range?: RangeIn | null;
  message: string;
  /** Who reported it, e.g. `rustc`. */
  source?: string | null;
}

/** A question to the person. */
export interface QuestionView {
  repository: string;
  /** `Q2`. */
  id: string;
  task: string;
  text: string;
  options: string[];
  /** Index into `options`. */
  default: number;
  /** At the deadline the default is taken; else the task is parked. */
  proceed: boolean;
  /** What it costs to be wrong. */
  stakes: string;
  deadlineAt: number;
  /** The answer, once there is one. */
  answer?: string | null;
}

/** A range in a document, as in LSP. */
export interface RangeIn {
  start: PositionAt;
  end: PositionAt;
}

/** Sums over tasks that ended, or stopped for a person. */
export interface RatesView {
  /** Absent: of several classes, or never triaged. */
  class?: string | null;
  /** All of them: what the others are parts of. */
  tasks: number;
  /** As `definition` says. */
  delegated: number;
  assisted: number;
  /** Of the delegated ones, those that a person's rule approved. */
  byRule: number;
  /** Of the delegated ones, those of the last seven days: they may yet be taken back. */
  young: number;
  /** Landed, applied or answered, and not taken back. */
  shipped: number;
  /** Tasks whose review a client told of. The person's time of others is not known. */
  measured: number;
  /** The median of those, in milliseconds. */
  personMs?: number | null;
  /** Median time that an approval waited for its answer, in milliseconds. */
  waitedMs?: number | null;
  /** Micro-dollars of all of them, whatever became of them. */
  micros: number;
  /** The same, divided by what was shipped. */
  microsPerShipped?: number | null;
  /** Tasks with a model whose price is not known; they are in no sum of money. */
  unpriced: number;
  /** Builds beyond the first of a task. */
  rebuilds: number;
  /** How often a person sent the work back. */
  sentBack: number;
  /** Built, and then rejected, cancelled or taken back. */
  falseStarts: number;
}

/** What the server saw of one command. */
export interface ReceiptView {
  /** `R4.3`; `baton replay R4.3` runs it again. */
  id: string;
  /** `check`, `repro`, `ownCheck`, `rerun`, `setup` or `command`. Gates count the first two, and `rerun` for what is flaky. */
  ran: string;
  /** Name of the check. */
  name?: string | null;
  argv: string[];
  green: boolean;
  /** For people: `exit 0`, `signal 9`, `timed out`. */
  exit: string;
  exitCode?: number | null;
  durationMs: number;
  commit?: string | null;
  tests?: TestsView | null;
  /** It ran in the sandbox. */
  sandboxed: boolean;
  /** SHA-256 of the output, hex. */
  outputSha256: string;
  outputBytes: number;
  at: number;
}

/** A decision with its task. */
export interface RememberedView {
  /** `D3`. */
  id: string;
  /** `T17`. */
  task: string;
  /** `person (editor)`, `rule`, `deadline`, or a role. */
  by: string;
  what: string;
  why: string;
}

/** Runs the command of a receipt again. */
export interface ReplayParams {
  /** Absent: the only one that is open. */
  repository?: string | null;
  /** `R4.3`. */
  receipt: string;
}

/** What was seen then and now. */
export interface ReplayView {
  receipt: string;
  argv: string[];
  /** For people: how it ended then. */
  then: string;
  now: string;
  /** The exit and the counts of tests are the same. */
  same: boolean;
  output: string;
}

/** Asks for the digest and the measures of a repository. */
export interface ReportParams {
  repository?: string | null;
  /** Only what ended or stopped since then counts; absent: everything. */
  sinceAt?: number | null;
}

/** What the team was worth. */
export interface ReportView {
  repository: string;
  version: number;
  sinceAt?: number | null;
  /** When it was made. */
  at: number;
  digest: DigestView;
  /** For people: what `delegated` counts, and what is not known. */
  definition: string;
  /** Without documentation and chores, which would make it look better. */
  all: RatesView;
  /** Each class that occurs. */
  classes: RatesView[];
  /** The last tasks that ended, newest first, each with its steps. */
  tasks: TaskStepsView[];
}

/** One open repository. */
export interface RepositoryStatus {
  repository: string;
  /** Steps that are under way or due. */
  underWay: number;
  /** Approvals and questions that wait for a person. */
  waiting: number;
}

/** What one watched run said and did. The journal has all of it afterwards. */
export interface RunProgress {
  repository: string;
  run: string;
  /** What the model said, to be appended. */
  says: string;
  /** The tool calls that began, a line each. */
  does: string[];
  /** Hand-overs that were sent back, each with the reason. */
  refused: string[];
  /** Why the run waits for its provider. */
  waits?: string | null;
  /** How long it waits, in milliseconds. */
  waitMs: number;
  /** A reply of the model's is whole. */
  replied: boolean;
  /** Something was left out, since this client or the run was too quick: ask `baton/transcript`. */
  lost: boolean;
}

/** What the watched runs said and did since the last of these; each run stands here once. */
export interface RunProgressParams {
  runs: RunProgress[];
}

/** One run of a role, or one round of checks. */
export interface RunView {
  /** `R4`. */
  id: string;
  /** `PM`, `Engineer`, `Tester`, ..., or `checks` for the server's own. */
  role: string;
  /** `live`, `ended`, `asked`, `lost` or `stopped`. */
  state: string;
  /** Why it was lost. */
  failure?: string | null;
  startedAt: number;
  endedAt?: number | null;
  deadlineAt: number;
  cost: CostView;
  receipts: ReceiptView[];
}

/** Tells something to whoever works on a task: the run under way hears it before its model is asked next; where none is, the next one does. */
export interface SayParams {
  repository?: string | null;
  /** `T17`. */
  task: string;
  /** At most 4,000 characters. */
  text: string;
}

/** Where a task stands. A client shows a name that it does not know as it is. */
export type StateName = "landed" | "answered" | "rejected" | "cancelled" | "undone" | "preparing" | "working" | "checking" | "asking" | "awaitingApproval" | "landing" | "undoing" | "parked" | "applied";

/** One row of Step, Role, Action and My time. */
export interface StepRowView {
  /** `Delegate`, `Triage`, `Design`, `Build`, `Judge`, `Announce`, `Answer`, `Ask`, `Say`, `Decide`, `End`. */
  step: string;
  /** `you`, `server`, or a role. */
  role: string;
  action: string;
  /** Of the person's time, in milliseconds; absent: not measured. */
  personMs?: number | null;
}

/** One thing that was said or done in a run. */
export interface StepView {
  /** The step of the journal; several things of one step have one number. */
  n: number;
  /** `brief`, `says`, `calls`, `result` or `note`. */
  kind: string;
  /** The words, the arguments or the output; cut where it is long. */
  text: string;
  /** The tool, of `calls`. */
  tool?: string | null;
  /** Of `result`: the tool refused or failed. */
  isError: boolean;
  at: number;
}

/** One task in a list. */
export interface TaskLineView {
  /** `T17`. */
  id: string;
  title: string;
  class?: string | null;
  /** `needsYou`, `working`, `parked`, `shipped` or `ended`. */
  column: string;
  state: StateName;
  /** What happens now, in words. */
  step: string;
  /** Who is at work. */
  role?: string | null;
  run?: string | null;
  /** Of a task at work, once five of its class have ended: `about 4 min, $0.30; 7 of your last 9 bugs landed`. */
  expects?: string | null;
  spent: CostView;
  delegatedAt: number;
  endedAt?: number | null;
}

/** Names a task. */
export interface TaskParams {
  /** Absent: the only one that is open. */
  repository?: string | null;
  /** `T17`. */
  task: string;
}

/** What happened to one task. */
export interface TaskStepsView {
  /** `T17`. */
  task: string;
  title: string;
  class?: string | null;
  endedAt?: number | null;
  /** The person's measured time, in milliseconds; absent: no client told of any. */
  personMs?: number | null;
  steps: StepRowView[];
}

/** One task with everything that is known about it. */
export interface TaskView {
  repository: string;
  /** `T17`. */
  id: string;
  /** The version of the board that this shows. */
  version: number;
  /** The first line of what was asked. */
  title: string;
  state: StateName;
  /** For people: what is going on, or why it stopped. */
  says: string;
  brief: BriefView;
  base?: BaseView | null;
  /** How it was triaged: `bug`, `feature`, `question`, ... */
  class?: string | null;
  /** The stages of that class here, `human:` before those that a person lets it into. */
  stages: string[];
  /** The testable "done", as triaged. */
  criteria: string[];
  /** The plan that holds. */
  plan?: PlanView | null;
  handoffs: HandoffView[];
  runs: RunView[];
  approvals: ApprovalView[];
  questions: QuestionView[];
  decisions: DecisionView[];
  /** What people said while it was under way. */
  words: WordsView[];
  /** The person's own time and part. */
  person: PersonView;
  cost: CostView;
  timeline: MomentView[];
  delegatedAt: number;
  endedAt?: number | null;
}

/** Counts as read from a check's report. */
export interface TestsView {
  passed: number;
  failed: number;
  ignored: number;
  failing: string[];
  /** Tests asked for by name, each as `name: passed`, `failed` or `missing`. */
  named: string[];
}

/** Asks for the steps of a run, from a cursor on. */
export interface TranscriptParams {
  repository?: string | null;
  /** `R4`. */
  run: string;
  /** The first step that is wanted, counted from 0; absent: the first. */
  from?: number | null;
}

/** Some steps of a run, in order. */
export interface TranscriptView {
  repository: string;
  run: string;
  steps: StepView[];
  /** Where to go on; the same again once a live run has made more steps. Absent: the run is over and this is all. */
  next?: number | null;
}

/** A person's review of a task was opened, is being worked on, or was closed: so their time with it is measured. Of `working` at most one every 30 seconds, and only on real input. */
export interface ViewedParams {
  repository?: string | null;
  /** `T17`. */
  task: string;
  /** The approval that is looked at, where there is one. */
  approval?: string | null;
  /** `opened`, `working` or `closed`. */
  sign: string;
}

/** What a caller wants from the daemon. */
export type Wants = "serve" | "status" | "stop";

/** Begins or ends the watching of a run; a watched run streams what it says and does. */
export interface WatchParams {
  repository?: string | null;
  /** `R4`. */
  run: string;
  on: boolean;
}

/** Whether a run is watched now. */
export interface WatchResult {
  repository: string;
  run: string;
  on: boolean;
}

/** The daemon's frame. */
export interface Welcome {
  protocolVersion: number;
  /** The daemon's own version. */
  version: string;
  pid: number;
  /** It was older than the caller, or had not its keys, and was idle: it has ended. Call again and start another. */
  madeRoom?: boolean;
  /** Why nothing is served; the connection ends. */
  refused?: string | null;
  /** A sentence for the person. */
  notice?: string | null;
  /** Of use to callers that want `status` or `stop`; all zero where a caller is simply served. */
  status: DaemonStatus;
}

/** What a person said to whoever works on a task. */
export interface WordsView {
  text: string;
  by: string;
  at: number;
  /** The runs whose model was told. None yet: it is kept for the next run. */
  heardBy: string[];
}
