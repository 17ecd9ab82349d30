// A review: the evidence first, then every file of the change side by side in one editor, with findings and
// the person's own comments at the lines.
import * as vscode from "vscode";
import { place } from "./comments.js";
import { SCHEME, isSide, pageUri, read, sideUri } from "./documents.js";
import { chosen, parts, type Part } from "./hunks.js";
import type { ApprovalView, ChosenHunks, DiffView, LineComment, TaskView } from "./protocol.gen.js";
import type { Team } from "./team.js";
import { cut } from "./board.js";
import { approvalOf } from "./words.js";

const TITLE_CHARS_MAX = 70;
/** As the protocol asks: a sign of work at most so often. */
const WORKING_MS_MIN = 30_000;
/** Comments that are not sent yet outlive the window, in the workspace's own state. */
const DRAFTS_KEY = "baton.drafts";
const DRAFTS_MAX = 200;
/** Reviews that were open when the window went: VS Code brings their tabs back, and they are reviews again. */
const OPEN_KEY = "baton.reviews";
const ENDS = ["shipped", "ended"];

/** A draft as it is kept. */
interface Kept {
  uri: string;
  /** Counted from 0. */
  line: number;
  text: string;
}

export interface Target {
  repository: string;
  task: string;
}

/** A comment that the person wrote and has not sent. */
interface Draft extends vscode.Comment {
  thread: vscode.CommentThread;
}

/** A review whose tab is open, as it is kept. */
interface Shown extends Target {
  title: string;
  /** The commit that it shows. */
  to: string;
}

interface Open extends Target {
  title: string;
  evidence: vscode.Uri;
  approval: string | null;
  diff: DiffView | undefined;
  threads: vscode.CommentThread[];
  /** Ids of hunks that are not taken. */
  left: Set<string>;
  /** Its tab is there. */
  shown: boolean;
  workingAt: number;
}

export class Reviews implements vscode.Disposable {
  private readonly controller = vscode.comments.createCommentController("baton", "Baton");
  private readonly open = new Map<string, Open>();
  private readonly drafts: Draft[] = [];
  private readonly chosen = new vscode.EventEmitter<void>();
  private readonly subscriptions: vscode.Disposable[] = [this.controller, this.chosen];

  /** What the last window showed; emptied once the server is there. */
  private readonly before: Shown[];

  constructor(private readonly team: Team, private readonly kept: vscode.Memento) {
    this.before = [...this.kept.get<Shown[]>(OPEN_KEY, [])];
    this.controller.options = {
      prompt: "Comment for the Engineer",
      placeHolder: "What to do differently here; it goes along with Send Back",
    };
    this.controller.commentingRangeProvider = {
      provideCommentingRanges: (document) => {
        const about = read(document.uri);
        return isSide(about) && about.side === "to" ? [new vscode.Range(0, 0, Math.max(0, document.lineCount - 1), 0)] : [];
      },
    };
    const mark = (): void => void this.mark();
    const works = (it: { textEditor: vscode.TextEditor }): void => this.works(it.textEditor.document.uri);
    this.subscriptions.push(
      vscode.window.tabGroups.onDidChangeTabs(mark), vscode.window.tabGroups.onDidChangeTabGroups(mark), team.onChange(mark),
      team.onChange(() => this.resume()),
      vscode.window.onDidChangeTextEditorSelection(works), vscode.window.onDidChangeTextEditorVisibleRanges(works),
      vscode.languages.registerCodeLensProvider({ scheme: SCHEME }, {
        onDidChangeCodeLenses: this.chosen.event,
        provideCodeLenses: (document) => this.lenses(document.uri),
      }),
    );
    for (const it of this.kept.get<Kept[]>(DRAFTS_KEY, [])) {
      const uri = vscode.Uri.parse(it.uri);
      if (isSide(read(uri))) {
        this.draft(this.controller.createCommentThread(uri, new vscode.Range(it.line, 0, it.line, 0), []), it.text);
      }
    }
  }

  dispose(): void {
    for (const it of this.subscriptions) {
      it.dispose();
    }
  }

  async show(target: Target): Promise<void> {
    const it = await this.prepare(target);
    // Before its tab is there: a window that goes just then brings the tab back.
    this.keepOpen();
    const { title, evidence, diff } = it;
    if (diff === undefined || diff.files.length === 0) {
      await vscode.window.showTextDocument(evidence, { preview: false });
    } else {
      const resources = diff.files.map((one) => this.sides(target, diff, one.file.path, one.oldPath ?? one.file.path, one.file.kind));
      await vscode.commands.executeCommand("vscode.changes", title, [[evidence, undefined, evidence], ...resources]);
    }
    this.isShown(it);
  }

  /** What a window brought back goes on being a review, as long as it shows the change that waits. */
  private resume(): void {
    if (this.team.running !== "ready") {
      return;
    }
    for (const shown of this.before.splice(0)) {
      this.resumeOne(shown).catch((error: unknown) => this.team.log.info(`a review of before: ${String(error)}`));
    }
  }

  private async resumeOne(shown: Shown): Promise<void> {
    const tabs = allTabs().filter((it) => isCalled(it, shown.title));
    if (tabs.length === 0 || this.open.has(key(shown))) {
      return;
    }
    const it = await this.prepare(shown);
    if (it.diff?.to === shown.to) {
      this.isShown(it);
    } else {
      this.forget(key(shown));
      await vscode.window.tabGroups.close(tabs);
    }
    this.keepOpen();
  }

  private isShown(it: Open): void {
    it.shown = true;
    this.views(it, "opened");
    this.mark();
  }

  private keepOpen(): void {
    const changes = [...this.open.values()].filter((it) => it.diff !== undefined);
    const all = changes.map(({ repository, task, title, diff }): Shown => ({ repository, task, title, to: diff?.to ?? "" }));
    void this.kept.update(OPEN_KEY, all.length === 0 ? undefined : all);
  }

  /** What is known of a review before it is shown. */
  private async prepare(target: Target): Promise<Open> {
    const { repository, task: id } = target;
    const task = await this.team.task(repository, id);
    const approval = approvalOf(task);
    const diff = await this.team.ask("baton/diff", { repository, task: id }).catch((error: unknown) => {
      // A plan or a command has no files yet: its evidence is all there is to look at.
      if (approval !== undefined && approval.files.length === 0) {
        return undefined;
      }
      throw error;
    });
    const evidence = pageUri({ repository, task: id, page: "evidence" });
    const title = cut(`Review ${id}: ${task.title}`, TITLE_CHARS_MAX);
    const before = this.open.get(key(target));
    this.forget(key(target));
    const left = before?.diff?.to === diff?.to ? before?.left : undefined;
    const waits = approval?.state === "open" ? approval.id : null;
    const opened: Open = { repository, task: id, title, evidence, approval: waits, diff, threads: [], left: left ?? new Set(), shown: false, workingAt: Date.now() };
    this.open.set(key(target), opened);
    if (diff !== undefined && diff.files.length !== 0) {
      opened.threads.push(...this.findings(task, diff));
    }
    return opened;
  }

  /** Tells the server of the person's time with it; a review that nobody measures is no failure. */
  private views(it: Open, sign: "opened" | "working" | "closed"): void {
    const { repository, task, approval } = it;
    this.team.ask("baton/viewed", { repository, task, approval, sign }).catch((error: unknown) => this.team.log.debug(`viewed: ${String(error)}`));
  }

  private works(uri: vscode.Uri): void {
    const about = read(uri);
    const it = about === undefined ? undefined : this.open.get(key(about));
    const now = Date.now();
    if (it?.shown === true && it.workingAt + WORKING_MS_MIN <= now) {
      it.workingAt = now;
      this.views(it, "working");
    }
  }

  /** Above each hunk of a change that waits: whether it is taken. */
  private lenses(uri: vscode.Uri): vscode.CodeLens[] {
    const about = read(uri);
    const it = about === undefined ? undefined : this.open.get(key(about));
    if (!isSide(about) || about.side !== "to" || it?.diff?.to !== about.commit || it.approval === null) {
      return [];
    }
    return parts(it.diff).filter((one) => one.path === uri.path.slice(1)).map((one) => {
      const title = it.left.has(one.id) ? "$(circle-slash) Left out: take it" : "$(check) Taken: leave it out";
      const at = new vscode.Range(one.line - 1, 0, one.line - 1, 0);
      return new vscode.CodeLens(at, { title, command: "baton.toggleHunk", arguments: [{ repository: it.repository, task: it.task }, one.id] });
    });
  }

  /** What can be chosen of the change that is under review, and whether it is taken. */
  parts(target: Target): { part: Part; taken: boolean }[] {
    const it = this.open.get(key(target));
    return it?.diff === undefined ? [] : parts(it.diff).map((part) => ({ part, taken: !it.left.has(part.id) }));
  }

  take(target: Target, id: string, taken: boolean): void {
    const it = this.open.get(key(target));
    if (it !== undefined) {
      if (taken) {
        it.left.delete(id);
      } else {
        it.left.add(id);
      }
      this.chosen.fire();
    }
  }

  isTaken(target: Target, id: string): boolean {
    return this.open.get(key(target))?.left.has(id) !== true;
  }

  /** The hunks that are taken; `undefined`: all. */
  hunks(target: Target): ChosenHunks[] | undefined {
    const it = this.open.get(key(target));
    return it?.diff === undefined ? undefined : chosen(it.diff, it.left);
  }

  /** The hunk that the cursor stands in, or the last one above it. */
  hunkAt(editor: vscode.TextEditor): { target: Target; id: string } | undefined {
    const about = read(editor.document.uri);
    const it = about === undefined ? undefined : this.open.get(key(about));
    if (it?.diff === undefined || !isSide(about)) {
      return undefined;
    }
    const here = parts(it.diff).filter((one) => one.path === editor.document.uri.path.slice(1));
    const found = here.filter((one) => one.line <= editor.selection.active.line + 1).at(-1) ?? here[0];
    return found === undefined ? undefined : { target: { repository: it.repository, task: it.task }, id: found.id };
  }

  /** One file of a change, in a diff editor of its own. */
  async showFile(target: Target, path: string): Promise<void> {
    const diff = await this.team.ask("baton/diff", target);
    const file = diff.files.find((it) => it.file.path === path);
    if (file === undefined) {
      throw new Error(`${target.task} does not change ${path} any more`);
    }
    const side = (name: "from" | "to", at: string): vscode.Uri => sideUri(at, { ...target, side: name, commit: diff[name] });
    const [left, right] = [side("from", file.oldPath ?? path), side("to", path)];
    await vscode.commands.executeCommand("vscode.diff", left, right, `${path} (${target.task})`, { preview: true });
  }

  private sides(target: Target, diff: DiffView, path: string, old: string, kind: string): [vscode.Uri, vscode.Uri | undefined, vscode.Uri | undefined] {
    const from = kind === "added" ? undefined : sideUri(old, { ...target, side: "from", commit: diff.from });
    const to = kind === "deleted" ? undefined : sideUri(path, { ...target, side: "to", commit: diff.to });
    return [vscode.Uri.from({ scheme: "file", path: `/${path}` }), from, to];
  }

  /** What the roles said about places of this change. */
  private findings(task: TaskView, diff: DiffView): vscode.CommentThread[] {
    const threads: vscode.CommentThread[] = [];
    for (const it of task.handoffs) {
      const about = it.kind === "changed" ? [it.lookFirst ?? ""] : it.kind === "validated" ? [it.text, ...it.points] : [];
      for (const text of about.filter((one) => one !== "")) {
        const found = place(text);
        const file = diff.files.find((one) => one.file.path === found?.path && one.file.kind !== "deleted");
        if (found === undefined || file === undefined) {
          continue;
        }
        const uri = sideUri(file.file.path, { repository: task.repository, task: task.id, side: "to", commit: diff.to });
        threads.push(this.thread(uri, found.line - 1, it.role, it.kind === "changed" ? `Look here first: ${text}` : text));
      }
    }
    return threads;
  }

  private thread(uri: vscode.Uri, line: number, role: string, text: string): vscode.CommentThread {
    const comment: vscode.Comment = { author: { name: role }, body: plain(text), mode: vscode.CommentMode.Preview };
    const thread = this.controller.createCommentThread(uri, new vscode.Range(line, 0, line, 0), [comment]);
    thread.label = `${role} says`;
    thread.contextValue = "finding";
    thread.collapsibleState = vscode.CommentThreadCollapsibleState.Expanded;
    return thread;
  }

  /** Keeps what the person wrote at a line, to go back with the rest. */
  comment(reply: vscode.CommentReply): void {
    if (reply.text.trim() === "") {
      throw new Error("there are no words in it");
    }
    if (DRAFTS_MAX <= this.drafts.length) {
      throw new Error(`${DRAFTS_MAX} comments wait to be sent; send some of them first`);
    }
    const { thread } = reply;
    // A finding goes when its review is closed; what the person says to it stays until it is sent.
    const own = thread.contextValue === "finding" ? this.controller.createCommentThread(thread.uri, thread.range, []) : thread;
    this.draft(own, reply.text);
    this.keep();
  }

  private draft(thread: vscode.CommentThread, text: string): void {
    const draft: Draft = { author: { name: "You" }, body: plain(text), mode: vscode.CommentMode.Preview, label: "not sent", contextValue: "draft", thread };
    thread.label = "Goes back with Send Back";
    thread.contextValue = "draft";
    thread.comments = [...thread.comments, draft];
    this.drafts.push(draft);
  }

  private keep(): void {
    const all = this.drafts.map(({ thread, body }): Kept => ({ uri: thread.uri.toString(), line: lineOf(thread), text: raw.get(body as object) ?? "" }));
    void this.kept.update(DRAFTS_KEY, all.length === 0 ? undefined : all);
  }

  remove(draft: vscode.Comment): void {
    const found = this.drafts.find((it) => it === draft);
    if (found === undefined) {
      return;
    }
    this.drafts.splice(this.drafts.indexOf(found), 1);
    this.keep();
    found.thread.comments = found.thread.comments.filter((it) => it !== found);
    if (found.thread.comments.length === 0) {
      found.thread.dispose();
    }
  }

  /** The person's comments on this change, as they go back. */
  comments(target: Target): LineComment[] {
    return this.written(target).map(([it]) => it);
  }

  pending(target: Target): number {
    return this.written(target).length;
  }

  /** What was sent is no draft any more. */
  sent(target: Target): void {
    for (const [, draft] of this.written(target)) {
      this.remove(draft);
    }
  }

  private written(target: Target): [LineComment, Draft][] {
    return this.drafts.flatMap((draft): [LineComment, Draft][] => {
      const about = read(draft.thread.uri);
      if (about === undefined || key(about) !== key(target)) {
        return [];
      }
      // What is said beside the evidence is said about no line.
      const line = lineOf(draft.thread) + 1;
      return isSide(about) ? [[{ path: draft.thread.uri.path.slice(1), line, side: about.side, text: raw.get(draft.body as object) ?? "" }, draft]] : [];
    });
  }

  /** The review that is in front, if one is. */
  get active(): Target | undefined {
    const tab = vscode.window.tabGroups.activeTabGroup.activeTab;
    const input = tab?.input;
    const uri = input instanceof vscode.TabInputText ? input.uri : input instanceof vscode.TabInputTextDiff ? input.modified : undefined;
    const about = uri === undefined ? undefined : read(uri);
    if (about !== undefined) {
      return { repository: about.repository, task: about.task };
    }
    const found = tab === undefined ? undefined : [...this.open.values()].find((it) => isCalled(tab, it.title));
    return found === undefined ? undefined : { repository: found.repository, task: found.task };
  }

  /** Ends the review of a change that is no longer the one that waits. */
  async close(target: Target): Promise<void> {
    const opened = this.open.get(key(target));
    const tabs = allTabs();
    await vscode.window.tabGroups.close(tabs.filter((it) => (opened !== undefined && isOf(it, opened)) || isFileOf(it, target)));
  }

  /** Nothing can be sent about it any more. A task that no board shows yet has not ended. */
  private hasEnded(draft: Draft): boolean {
    const about = read(draft.thread.uri);
    const task = about === undefined ? undefined : this.team.boards.line(about.repository, about.task);
    return task !== undefined && ENDS.includes(task.column);
  }

  private forget(name: string): void {
    for (const it of this.open.get(name)?.threads ?? []) {
      it.dispose();
    }
    this.open.delete(name);
  }

  /** What the editor's title offers: the answers that this task takes now. */
  private mark(): void {
    const tabs = allTabs();
    const gone = [...this.open.values()].filter((one) => one.shown && !tabs.some((tab) => isOf(tab, one)));
    for (const it of gone) {
      this.views(it, "closed");
      this.forget(key(it));
    }
    if (gone.length !== 0) {
      this.keepOpen();
    }
    for (const it of this.drafts.filter((one) => this.hasEnded(one))) {
      this.remove(it);
    }
    const target = this.active;
    const waiting = target === undefined ? [] : this.team.boards.waitingOn(target.repository, target.task);
    const state = target === undefined ? undefined : this.team.boards.line(target.repository, target.task)?.state;
    const answers = waiting.flatMap((it) => it.approval?.answers ?? []);
    const can = [...answers, ...(state === "landed" || state === "applied" ? ["undo"] : [])].join(" ");
    void vscode.commands.executeCommand("setContext", "baton.reviewing", target === undefined ? "" : `review ${can}`);
  }
}

function allTabs(): vscode.Tab[] {
  return vscode.window.tabGroups.all.flatMap((it) => it.tabs);
}

/** VS Code tells of such a tab no more than its label. */
function isCalled(tab: vscode.Tab, title: string): boolean {
  return tab.label.startsWith(title);
}

/** Counted from 0. */
function lineOf(thread: vscode.CommentThread): number {
  return thread.range.start.line;
}

/** A review's own tab; VS Code adds to its label how many files there are. */
function isOf(tab: vscode.Tab, it: Open): boolean {
  const isPage = tab.input instanceof vscode.TabInputText && tab.input.uri.toString() === it.evidence.toString();
  return isPage || isCalled(tab, it.title);
}

/** One file of a change, opened by itself. */
function isFileOf(tab: vscode.Tab, target: Target): boolean {
  const about = tab.input instanceof vscode.TabInputTextDiff ? read(tab.input.modified) ?? read(tab.input.original) : undefined;
  return isSide(about) && key(about) === key(target);
}

export function openApproval(task: TaskView): ApprovalView | undefined {
  return task.approvals.find((it) => it.state === "open");
}

const raw = new WeakMap<object, string>();

/** Words as they are: no link, no picture, no markup of whoever wrote them comes to life. */
export function plain(text: string): vscode.MarkdownString {
  const it = new vscode.MarkdownString(undefined, false);
  it.isTrusted = false;
  it.supportHtml = false;
  it.appendText(text);
  raw.set(it, text);
  return it;
}

export function key(it: Target): string {
  return `${it.repository} ${it.task}`;
}

