---@meta
-- The wire types of the server, written from its own: UPDATE=1 cargo test -p baton --test e2e document
-- Fields may come, unknown ones are ignored; unknown names are shown as they are.

---Answers an approval. The first answer decides; a later one is refused and changes nothing.
---@class baton.AnswerApprovalParams
---@field repository? string|nil
---@field approval string `A3`.
---@field revision? string|nil As the approval showed it.
---@field answer string `approve`, `apply`, `revise`, `rebuild` or `reject`. Any other word is refused.
---@field ticked? string[] For `approve`: the paths that needed a tick and got it.
---@field hunks? baton.ChosenHunks[]|nil For `approve` of a landing: these hunks alone, as `baton/diff` names them; the others are left. Their candidate is checked by itself; green it lands under this answer, else the whole change is asked about again. Absent: all of it.
---@field text? string|nil For `revise`: what to do differently; for `reject`: why.
---@field comments? baton.LineComment[] For `revise`: what is said about single lines; `text` may be absent then.

---@class baton.AnswerApprovalResult
---@field repository string
---@field approval string
---@field task string
---@field says string For people: what was decided.

---Answers a question.
---@class baton.AnswerQuestionParams
---@field repository? string|nil
---@field question string `Q2`.
---@field text string

---One approval: what it is about, the evidence, and how it may be answered.
---@class baton.ApprovalView
---@field repository string
---@field id string `A3`.
---@field task string
---@field title string
---@field subject string `landing`, `edits`, `commands`, `setup`, `plan`, or `stage`: whether to go on.
---@field proof string The evidence in one line.
---@field revision? string|nil Send it back with the answer: it is refused if the change is no longer this one. Absent where the approval's id alone names what is approved.
---@field files baton.FileLineView[]
---@field added integer
---@field removed integer
---@field receipts string[] Receipts of the required checks.
---@field ticks string[] Paths that need a tick of their own in the answer.
---@field hunks integer How many hunks an answer can choose among; 0 where it is for the whole.
---@field why string[] Why it can't land on the branch; or the exact commands; or why a person is asked.
---@field plan? baton.PlanView|nil What is to be built, of a plan. Approving it lands nothing.
---@field notes string[]
---@field answers string[] What may be answered: `approve`, `apply`, `revise`, `rebuild`, `reject`. Empty once it is answered or void.
---@field state string `open`, `answered` or `void`.
---@field outcome? string|nil For people: who answered what, or why it is void.
---@field askedAt integer
---@field viewedMs integer How long a person was measured to look at it, in milliseconds.

---Somebody is needed. It points; nothing is decided by it.
---@class baton.AttentionParams
---@field repository string
---@field kind string `approval`, `question` or `parked`.
---@field task string
---@field id? string|nil The approval or the question.
---@field says string One line for people.

---Where a task starts and where it shall land.
---@class baton.BaseView
---@field base string The target branch's commit at delegation.
---@field seen string A commit of what the person saw; it lies in Baton's own store.
---@field target string Full name of the branch.
---@field says string
---@field leftOut string[] Paths that were not snapshotted, each with the reason.

---What `initialize` offers under `capabilities.experimental.baton`.
---@class baton.BatonOffer
---@field protocolVersion integer
---@field version string
---@field requests string[] The requests that are understood.
---@field notifications string[]

---What a client may announce under `capabilities.experimental.baton`.
---@class baton.BatonWish
---@field protocolVersion? integer|nil The newest protocol the client speaks; unset: 1.
---@field showMessage? boolean|nil False: no `window/showMessage` about approvals and ends; the client shows them itself.
---@field runProgress? boolean|nil True: `baton/runProgress` tells of every run, watched or not.
---@field door? string|nil `terminal` for the command line; what is decided here is recorded under it. Absent: `editor`.

---The board is now at `version`. Level-triggered: a client that missed ten is right after one.
---@class baton.BoardChangedParams
---@field repository string
---@field version integer
---@field board? baton.BoardView|nil The board itself, where it is small enough; else ask with `baton/board`.

---Asks for the board of a repository.
---@class baton.BoardParams
---@field repository? string|nil Absent: the only one that is open.

---What is true now in one repository.
---@class baton.BoardView
---@field repository string
---@field version integer Grows with every event; two boards of one version are equal.
---@field tasks baton.TaskLineView[] Newest first.
---@field approvals baton.ApprovalView[] Those that wait, oldest first.
---@field questions baton.QuestionView[]
---@field spent baton.CostView

---What the person asked for.
---@class baton.BriefView
---@field text string
---@field origin string `commandLine`, `sentence`, `selection` or `diagnostic`.
---@field place? baton.PlaceView|nil
---@field start string `seen` (unsaved text too) or `head` (the last commit).
---@field landByRule boolean
---@field class? string|nil What the person called it, where they did.
---@field budget? string|nil What the person gave it at most, where they did: `$0.50, 200000 tokens`.

---A checkout of a task's result, made for a person to open.
---@class baton.CheckoutResult
---@field repository string
---@field task string `T17`.
---@field path string The folder, absolute. It is cleared away once newer ones were made; work in it is saved in Baton's own store before.
---@field commit string
---@field says string For people.

---What is taken of one file.
---@class baton.ChosenHunks
---@field path string Relative to the root of the repository.
---@field hunks? string[]|nil Ids of hunks. Absent: all of the file's.

---What model calls cost, as the provider reported it.
---@class baton.CostView
---@field calls integer
---@field inputTokens integer
---@field outputTokens integer
---@field cacheReadTokens integer
---@field cacheWriteTokens integer
---@field micros integer Micro-dollars; 0 where the price is not known.

---What the daemon is doing.
---@class baton.DaemonStatus
---@field startedAt integer
---@field connections integer Open connections besides this one.
---@field repositories baton.RepositoryStatus[]

---A choice somebody made.
---@class baton.DecisionView
---@field id string `D3`.
---@field by string `person (editor)`, `rule`, `deadline`, or a role.
---@field what string
---@field why string
---@field forgotten boolean No role is told of it any more.

---Gives the team a task.
---@class baton.DelegateParams
---@field repository? string|nil Needed only where neither the document nor a single workspace folder says which.
---@field text? string|nil The person's words. Absent: the selection or the line speaks for itself.
---@field textDocument? baton.DocumentNamed|nil
---@field range? baton.RangeIn|nil
---@field diagnostics? baton.Problem[]
---@field origin? string|nil `selection`, `diagnostic`, `todo`, `tests` or `question`: what is wanted of the place; `commandLine`: no place, words alone. Absent: told from the range.
---@field base? string|nil `seen` (the default: what the editor shows, unsaved text too) or `head` (the last commit).
---@field landByRule? boolean It may land by itself under the strict rule.
---@field class? string|nil What the person calls it: `bug`, `feature`, `refactor`, `docs`, `chore` or `question`. Absent: the team decides.
---@field budget? string|nil What it may use at most: `0.50` (US dollars), `200k tokens`, or both with a comma between. It only lowers the configured limits; a higher one is refused.
---@field key? string|nil Made up by the client: a second request with the same key gives the same task.

---@class baton.DelegateResult
---@field repository string
---@field task string `T17`.
---@field expects? string|nil For people, where the words alone say what kind of task it is and five of that kind have ended: `about 4 min, $0.30; 7 of your last 9 bugs landed`.

---The whole change of a task, never an increment.
---@class baton.DiffView
---@field repository string
---@field task string
---@field from string The commit on the left side.
---@field to string The commit on the right side: the candidate, or the Engineer's head before there is one.
---@field files baton.FileDiffView[]
---@field patch string The same as a unified diff, as `git apply` reads it.

---One task of a digest.
---@class baton.DigestLineView
---@field task string `T17`.
---@field title string
---@field column string `needsYou`, `parked`, `shipped` or `ended`.
---@field step string What happens now, or how it ended, in words.

---What happened, and what waits now.
---@class baton.DigestView
---@field says string `3 shipped, 1 needs you`; empty where nothing happened and nothing waits.
---@field shipped integer Landed, applied or answered since then.
---@field ended integer Rejected, cancelled or taken back since then.
---@field needsYou integer
---@field parked integer
---@field working integer
---@field lines baton.DigestLineView[] What needs a person, then what stopped, then what ended; newest first each.

---A document, as in LSP.
---@class baton.DocumentNamed
---@field uri string

---What a request about a task did.
---@class baton.DoneResult
---@field repository string
---@field task string `T17`.
---@field says string For people.

---`data` of an error of ours.
---@class baton.ErrorData
---@field kind string `refused`, `failed`, `opening` or `unknown`.
---@field what? string What exactly, as a stable name: `alreadyAnswered`, `needsTicks`, `Locked`, ...; may be empty.
---@field retryable boolean The same request may succeed later.
---@field hint string What to do next; may be empty.

---Something that was seen.
---@class baton.FactView
---@field id? string|nil `F1`; absent: it is seen anew with each task, there is nothing to forget.
---@field kind string `flaky`: a test that is put aside; `check`: a command that the project is checked with.
---@field what string
---@field receipts string[] The receipts that show it.
---@field untilAt? integer|nil From then on it counts no more.

---One file's change.
---@class baton.FileDiffView
---@field file baton.FileLineView
---@field oldPath? string|nil Where it was before it was renamed.
---@field ids string[] What an answer can choose of it, in order: one id for each hunk, or one alone for all of it.
---@field whole? string|nil Why it can only be taken whole, where that is so (`it is new`, `it is renamed`, ...).
---@field hunks baton.HunkView[]

---A changed file in a list.
---@class baton.FileLineView
---@field path string Relative to the root of the repository.
---@field kind string `added`, `deleted` or `modified`.
---@field added integer
---@field removed integer

---Asks for one side of a change, for the editor's own view of differences.
---@class baton.FileParams
---@field repository? string|nil
---@field task string `T17`.
---@field path string Relative to the root of the repository.
---@field side string `from` or `to`, as `baton/diff` names the sides.

---One side of a change.
---@class baton.FileView
---@field repository string
---@field task string
---@field path string
---@field commit string
---@field text? string|nil Absent: there is no such file on this side, it is no text, or it is too large to be shown.
---@field why? string|nil Why there is no text.

---What a run left for the next one.
---@class baton.HandoffView
---@field run string `R4`.
---@field role string
---@field kind string `triaged`, `designed`, `changed`, `validated`, `announced`, `answered` or `declined`.
---@field text string The main text: summary, notes, answer or reason.
---@field verdict? string|nil `pass` or `fail`, of a validation.
---@field head? string|nil The commit that was handed over or validated.
---@field points string[] Acceptance criteria, paths, risks, receipts or citations.
---@field lookFirst? string|nil Where a reviewer should look first.

---The caller's frame.
---@class baton.Hello
---@field protocolVersion integer
---@field version string The caller's own version, `1.2.3`.
---@field wants baton.Wants
---@field environment? any `PATH` and the variables of tool chains. A task keeps those that it was delegated with.
---@field keys? string[] Names of the variables with keys, as the user's configuration has them, that are set at the caller. The keys themselves are not told.

---Lines are counted from 1.
---@class baton.HunkView
---@field id string Names it in an answer that takes some hunks only. The same lines keep it, wherever they stand. In a file that goes whole every hunk has the file's.
---@field oldStart integer
---@field oldLines integer
---@field newStart integer
---@field newLines integer
---@field text string Lines with ` `, `+` or `-` in front.

---What a person says about one line of a change.
---@class baton.LineComment
---@field path string Relative to the root of the repository.
---@field line integer Counted from 1.
---@field side? string|nil `to` (the default: the line as it would land) or `from` (as it was), as in `baton/file`.
---@field text string The line itself is added by the server. All comments with `text` and their lines: at most 3,900 characters.

---Asks what the team remembers of a repository; with `forget`, first forgets something.
---@class baton.MemoryParams
---@field repository? string|nil
---@field task? string|nil Only decisions of this task.
---@field path? string|nil Only decisions of tasks that point at this file or folder, plan it or change it; relative to the root of the repository.
---@field forget? string|nil `D3` or `F1`: no role is told of it again.

---Decisions and facts. What was forgotten is not among them.
---@class baton.MemoryView
---@field repository string
---@field decisions baton.RememberedView[] Newest first; at most 500.
---@field facts baton.FactView[] Of the whole repository, whatever was asked for.

---Something that happened, for people.
---@class baton.MomentView
---@field at integer
---@field text string

---A person's time with a task, and what they did about it after handing it in.
---@class baton.PersonView
---@field ms? integer|nil Measured, in milliseconds, without pauses of more than two minutes; absent: no client told of a review.
---@field views integer How often a review was opened.
---@field approvals integer Approvals that they answered.
---@field answers integer Questions that they answered.
---@field words integer Texts that they said to whoever worked on it.
---@field retries integer
---@field sentBack integer Of the approvals, those that sent it back.

---Lines of a file as they were when the task was delegated.
---@class baton.PlaceView
---@field path string Relative to the root of the repository.
---@field firstLine integer Counted from 1, both ends included.
---@field lastLine integer
---@field text string

---How a change shall be made.
---@class baton.PlanView
---@field approach string
---@field paths string[] Globs, relative to the root of the repository: what the change may touch. Tests and documentation beside them go without saying.
---@field tests string How it will be shown that the change is right.
---@field rejected string[] Alternatives, each with the reason why not.
---@field assumptions string[]
---@field decisions string[]

---A position in a document, as in LSP.
---@class baton.PositionAt
---@field line integer Counted from 0.
---@field character integer In the units that `initialize` agreed on.

---A problem as an editor shows it; LSP's `Diagnostic` fits.
---@class baton.Problem
---@field range? baton.RangeIn|nil
---@field message string
---@field source? string|nil Who reported it, e.g. `rustc`.

---A question to the person.
---@class baton.QuestionView
---@field repository string
---@field id string `Q2`.
---@field task string
---@field text string
---@field options string[]
---@field default integer Index into `options`.
---@field proceed boolean At the deadline the default is taken; else the task is parked.
---@field stakes string What it costs to be wrong.
---@field deadlineAt integer
---@field answer? string|nil The answer, once there is one.

---A range in a document, as in LSP.
---@class baton.RangeIn
---@field start baton.PositionAt
---@field end baton.PositionAt

---Sums over tasks that ended, or stopped for a person.
---@class baton.RatesView
---@field class? string|nil Absent: of several classes, or never triaged.
---@field tasks integer All of them: what the others are parts of.
---@field delegated integer As `definition` says.
---@field assisted integer
---@field byRule integer Of the delegated ones, those that a person's rule approved.
---@field young integer Of the delegated ones, those of the last seven days: they may yet be taken back.
---@field shipped integer Landed, applied or answered, and not taken back.
---@field measured integer Tasks whose review a client told of. The person's time of others is not known.
---@field personMs? integer|nil The median of those, in milliseconds.
---@field waitedMs? integer|nil Median time that an approval waited for its answer, in milliseconds.
---@field micros integer Micro-dollars of all of them, whatever became of them.
---@field microsPerShipped? integer|nil The same, divided by what was shipped.
---@field unpriced integer Tasks with a model whose price is not known; they are in no sum of money.
---@field rebuilds integer Builds beyond the first of a task.
---@field sentBack integer How often a person sent the work back.
---@field falseStarts integer Built, and then rejected, cancelled or taken back.

---What the server saw of one command.
---@class baton.ReceiptView
---@field id string `R4.3`; `baton replay R4.3` runs it again.
---@field ran string `check`, `repro`, `ownCheck`, `rerun`, `setup` or `command`. Gates count the first two, and `rerun` for what is flaky.
---@field name? string|nil Name of the check.
---@field argv string[]
---@field green boolean
---@field exit string For people: `exit 0`, `signal 9`, `timed out`.
---@field exitCode? integer|nil
---@field durationMs integer
---@field commit? string|nil
---@field tests? baton.TestsView|nil
---@field sandboxed boolean It ran in the sandbox.
---@field outputSha256 string SHA-256 of the output, hex.
---@field outputBytes integer
---@field at integer

---A decision with its task.
---@class baton.RememberedView
---@field id string `D3`.
---@field task string `T17`.
---@field by string `person (editor)`, `rule`, `deadline`, or a role.
---@field what string
---@field why string

---Runs the command of a receipt again.
---@class baton.ReplayParams
---@field repository? string|nil Absent: the only one that is open.
---@field receipt string `R4.3`.

---What was seen then and now.
---@class baton.ReplayView
---@field receipt string
---@field argv string[]
---@field then string For people: how it ended then.
---@field now string
---@field same boolean The exit and the counts of tests are the same.
---@field output string

---Asks for the digest and the measures of a repository.
---@class baton.ReportParams
---@field repository? string|nil
---@field sinceAt? integer|nil Only what ended or stopped since then counts; absent: everything.

---What the team was worth.
---@class baton.ReportView
---@field repository string
---@field version integer
---@field sinceAt? integer|nil
---@field at integer When it was made.
---@field digest baton.DigestView
---@field definition string For people: what `delegated` counts, and what is not known.
---@field all baton.RatesView Without documentation and chores, which would make it look better.
---@field classes baton.RatesView[] Each class that occurs.
---@field tasks baton.TaskStepsView[] The last tasks that ended, newest first, each with its steps.

---One open repository.
---@class baton.RepositoryStatus
---@field repository string
---@field underWay integer Steps that are under way or due.
---@field waiting integer Approvals and questions that wait for a person.

---What one watched run said and did. The journal has all of it afterwards.
---@class baton.RunProgress
---@field repository string
---@field run string
---@field says string What the model said, to be appended.
---@field does string[] The tool calls that began, a line each.
---@field refused string[] Hand-overs that were sent back, each with the reason.
---@field waits? string|nil Why the run waits for its provider.
---@field waitMs integer How long it waits, in milliseconds.
---@field replied boolean A reply of the model's is whole.
---@field lost boolean Something was left out, since this client or the run was too quick: ask `baton/transcript`.

---What the watched runs said and did since the last of these; each run stands here once.
---@class baton.RunProgressParams
---@field runs baton.RunProgress[]

---One run of a role, or one round of checks.
---@class baton.RunView
---@field id string `R4`.
---@field role string `PM`, `Engineer`, `Tester`, ..., or `checks` for the server's own.
---@field state string `live`, `ended`, `asked`, `lost` or `stopped`.
---@field failure? string|nil Why it was lost.
---@field startedAt integer
---@field endedAt? integer|nil
---@field deadlineAt integer
---@field cost baton.CostView
---@field receipts baton.ReceiptView[]

---Tells something to whoever works on a task: the run under way hears it before its model is asked next; where none is, the next one does.
---@class baton.SayParams
---@field repository? string|nil
---@field task string `T17`.
---@field text string At most 4,000 characters.

---Where a task stands. A client shows a name that it does not know as it is.
---@alias baton.StateName "landed"|"answered"|"rejected"|"cancelled"|"undone"|"preparing"|"working"|"checking"|"asking"|"awaitingApproval"|"landing"|"undoing"|"parked"|"applied"

---One row of Step, Role, Action and My time.
---@class baton.StepRowView
---@field step string `Delegate`, `Triage`, `Design`, `Build`, `Judge`, `Announce`, `Answer`, `Ask`, `Say`, `Decide`, `End`.
---@field role string `you`, `server`, or a role.
---@field action string
---@field personMs? integer|nil Of the person's time, in milliseconds; absent: not measured.

---One thing that was said or done in a run.
---@class baton.StepView
---@field n integer The step of the journal; several things of one step have one number.
---@field kind string `brief`, `says`, `calls`, `result` or `note`.
---@field text string The words, the arguments or the output; cut where it is long.
---@field tool? string|nil The tool, of `calls`.
---@field isError boolean Of `result`: the tool refused or failed.
---@field at integer

---One task in a list.
---@class baton.TaskLineView
---@field id string `T17`.
---@field title string
---@field class? string|nil
---@field column string `needsYou`, `working`, `parked`, `shipped` or `ended`.
---@field state baton.StateName
---@field step string What happens now, in words.
---@field role? string|nil Who is at work.
---@field run? string|nil
---@field expects? string|nil Of a task at work, once five of its class have ended: `about 4 min, $0.30; 7 of your last 9 bugs landed`.
---@field spent baton.CostView
---@field delegatedAt integer
---@field endedAt? integer|nil

---Names a task.
---@class baton.TaskParams
---@field repository? string|nil Absent: the only one that is open.
---@field task string `T17`.

---What happened to one task.
---@class baton.TaskStepsView
---@field task string `T17`.
---@field title string
---@field class? string|nil
---@field endedAt? integer|nil
---@field personMs? integer|nil The person's measured time, in milliseconds; absent: no client told of any.
---@field steps baton.StepRowView[]

---One task with everything that is known about it.
---@class baton.TaskView
---@field repository string
---@field id string `T17`.
---@field version integer The version of the board that this shows.
---@field title string The first line of what was asked.
---@field state baton.StateName
---@field says string For people: what is going on, or why it stopped.
---@field brief baton.BriefView
---@field base? baton.BaseView|nil
---@field class? string|nil How it was triaged: `bug`, `feature`, `question`, ...
---@field stages string[] The stages of that class here, `human:` before those that a person lets it into.
---@field criteria string[] The testable "done", as triaged.
---@field plan? baton.PlanView|nil The plan that holds.
---@field handoffs baton.HandoffView[]
---@field runs baton.RunView[]
---@field approvals baton.ApprovalView[]
---@field questions baton.QuestionView[]
---@field decisions baton.DecisionView[]
---@field words baton.WordsView[] What people said while it was under way.
---@field person baton.PersonView The person's own time and part.
---@field cost baton.CostView
---@field timeline baton.MomentView[]
---@field delegatedAt integer
---@field endedAt? integer|nil

---Counts as read from a check's report.
---@class baton.TestsView
---@field passed integer
---@field failed integer
---@field ignored integer
---@field failing string[]
---@field named string[] Tests asked for by name, each as `name: passed`, `failed` or `missing`.

---Asks for the steps of a run, from a cursor on.
---@class baton.TranscriptParams
---@field repository? string|nil
---@field run string `R4`.
---@field from? integer|nil The first step that is wanted, counted from 0; absent: the first.

---Some steps of a run, in order.
---@class baton.TranscriptView
---@field repository string
---@field run string
---@field steps baton.StepView[]
---@field next? integer|nil Where to go on; the same again once a live run has made more steps. Absent: the run is over and this is all.

---A person's review of a task was opened, is being worked on, or was closed: so their time with it is measured. Of `working` at most one every 30 seconds, and only on real input.
---@class baton.ViewedParams
---@field repository? string|nil
---@field task string `T17`.
---@field approval? string|nil The approval that is looked at, where there is one.
---@field sign string `opened`, `working` or `closed`.

---What a caller wants from the daemon.
---@alias baton.Wants "serve"|"status"|"stop"

---Begins or ends the watching of a run; a watched run streams what it says and does.
---@class baton.WatchParams
---@field repository? string|nil
---@field run string `R4`.
---@field on boolean

---Whether a run is watched now.
---@class baton.WatchResult
---@field repository string
---@field run string
---@field on boolean

---The daemon's frame.
---@class baton.Welcome
---@field protocolVersion integer
---@field version string The daemon's own version.
---@field pid integer
---@field madeRoom? boolean It was older than the caller, or had not its keys, and was idle: it has ended. Call again and start another.
---@field refused? string|nil Why nothing is served; the connection ends.
---@field notice? string|nil A sentence for the person.
---@field status baton.DaemonStatus Of use to callers that want `status` or `stop`; all zero where a caller is simply served.

---What a person said to whoever works on a task.
---@class baton.WordsView
---@field text string
---@field by string
---@field at integer
---@field heardBy string[] The runs whose model was told. None yet: it is kept for the next run.

local M = {}

M.version = 1

M.method = {
  delegate = "baton/delegate",
  board = "baton/board",
  task = "baton/task",
  transcript = "baton/transcript",
  diff = "baton/diff",
  file = "baton/file",
  answerApproval = "baton/answerApproval",
  answerQuestion = "baton/answerQuestion",
  cancel = "baton/cancel",
  park = "baton/park",
  retry = "baton/retry",
  undo = "baton/undo",
  replay = "baton/replay",
  say = "baton/say",
  watch = "baton/watch",
  viewed = "baton/viewed",
  report = "baton/report",
  memory = "baton/memory",
  checkout = "baton/checkout",
  boardChanged = "baton/boardChanged",
  runProgress = "baton/runProgress",
  attention = "baton/attention",
}

return M
