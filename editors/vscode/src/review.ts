// A review: the evidence first, then every file of the change side by side in one editor, with findings and
// the person's own comments at the lines.
import * as vscode from "vscode";
import { place, revision, type LineComment } from "./comments.js";
import { isSide, pageUri, read, sideUri } from "./documents.js";
import type { ApprovalView, DiffView, TaskView } from "./protocol.gen.js";
import type { Team } from "./team.js";
import { cut } from "./board.js";
import { approvalOf } from "./words.js";

const TITLE_CHARS_MAX = 70;

export interface Target {
  repository: string;
  task: string;
}

/** A comment that the person wrote and has not sent. */
interface Draft extends vscode.Comment {
  thread: vscode.CommentThread;
}

interface Open extends Target {
  title: string;
  to: string;
  threads: vscode.CommentThread[];
}

export class Reviews implements vscode.Disposable {
  private readonly controller = vscode.comments.createCommentController("baton", "Baton");
  private readonly open = new Map<string, Open>();
  private readonly drafts: Draft[] = [];
  private readonly subscriptions: vscode.Disposable[] = [this.controller];

  constructor(private readonly team: Team) {
    this.controller.options = {
      prompt: "Comment for the Engineer",
      placeHolder: "What to do differently here. It goes back with Send Back.",
    };
    this.controller.commentingRangeProvider = {
      provideCommentingRanges: (document) => {
        const about = read(document.uri);
        return isSide(about) && about.side === "to" ? [new vscode.Range(0, 0, Math.max(0, document.lineCount - 1), 0)] : [];
      },
    };
    const mark = (): void => void this.mark();
    this.subscriptions.push(vscode.window.tabGroups.onDidChangeTabs(mark), vscode.window.tabGroups.onDidChangeTabGroups(mark), team.onChange(mark));
  }

  dispose(): void {
    for (const it of this.subscriptions) {
      it.dispose();
    }
  }

  async show(target: Target): Promise<void> {
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
    if (diff === undefined || diff.files.length === 0) {
      await vscode.window.showTextDocument(evidence, { preview: false });
      return;
    }
    const title = cut(`Review ${id}: ${task.title}`, TITLE_CHARS_MAX);
    this.forget(key(target));
    const opened: Open = { ...target, title, to: diff.to, threads: [] };
    this.open.set(key(target), opened);
    opened.threads.push(...this.findings(task, diff, evidence));
    const resources = diff.files.map((it) => this.sides(target, diff, it.file.path, it.oldPath ?? it.file.path, it.file.kind));
    await vscode.commands.executeCommand("vscode.changes", title, [[evidence, undefined, evidence], ...resources]);
    this.mark();
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
  private findings(task: TaskView, diff: DiffView, evidence: vscode.Uri): vscode.CommentThread[] {
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
    const verdict = task.handoffs.filter((it) => it.kind === "validated").at(-1);
    if (verdict !== undefined) {
      threads.push(this.thread(evidence, 0, verdict.role, `${verdict.verdict ?? ""}: ${verdict.text}`));
    }
    return threads;
  }

  private thread(uri: vscode.Uri, line: number, role: string, text: string): vscode.CommentThread {
    const comment: vscode.Comment = { author: { name: role }, body: plain(text), mode: vscode.CommentMode.Preview };
    const thread = this.controller.createCommentThread(uri, new vscode.Range(line, 0, line, 0), [comment]);
    thread.label = `${role} says`;
    thread.canReply = false;
    thread.contextValue = "finding";
    thread.collapsibleState = vscode.CommentThreadCollapsibleState.Expanded;
    return thread;
  }

  /** Keeps what the person wrote at a line, to go back with the rest. */
  comment(reply: vscode.CommentReply): void {
    const draft: Draft = {
      author: { name: "You" }, body: plain(reply.text), mode: vscode.CommentMode.Preview, label: "not sent", contextValue: "draft", thread: reply.thread,
    };
    reply.thread.label = "Goes back with Send Back";
    reply.thread.contextValue = "draft";
    reply.thread.comments = [...reply.thread.comments, draft];
    this.drafts.push(draft);
  }

  remove(draft: vscode.Comment): void {
    const found = this.drafts.find((it) => it === draft);
    if (found === undefined) {
      return;
    }
    this.drafts.splice(this.drafts.indexOf(found), 1);
    found.thread.comments = found.thread.comments.filter((it) => it !== found);
    if (found.thread.comments.length === 0) {
      found.thread.dispose();
    }
  }

  /** The person's words and comments on this change, as they go back. */
  words(target: Target, said: string): string {
    return revision(said, this.written(target).map(([it]) => it));
  }

  pending(target: Target): number {
    return this.written(target).length;
  }

  /** What was sent is no draft any more. */
  sent(target: Target): void {
    for (const [, draft] of this.written(target)) {
      this.drafts.splice(this.drafts.indexOf(draft), 1);
      draft.thread.dispose();
    }
  }

  private written(target: Target): [LineComment, Draft][] {
    return this.drafts.flatMap((draft): [LineComment, Draft][] => {
      const about = read(draft.thread.uri);
      if (about === undefined || key(about) !== key(target)) {
        return [];
      }
      const line = (draft.thread.range?.start.line ?? 0) + 1;
      return [[{ path: draft.thread.uri.path.slice(1), line, text: raw.get(draft.body as object) ?? "" }, draft]];
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
    const found = tab === undefined ? undefined : [...this.open.values()].find((it) => it.title === tab.label);
    return found === undefined ? undefined : { repository: found.repository, task: found.task };
  }

  /** Ends the review of a change that is no longer the one that waits. */
  async close(target: Target): Promise<void> {
    const opened = this.open.get(key(target));
    if (opened !== undefined) {
      const tabs = vscode.window.tabGroups.all.flatMap((it) => it.tabs).filter((it) => it.label === opened.title);
      await vscode.window.tabGroups.close(tabs);
      this.forget(key(target));
    }
  }

  private forget(name: string): void {
    for (const it of this.open.get(name)?.threads ?? []) {
      it.dispose();
    }
    this.open.delete(name);
  }

  /** What the editor's title offers: the answers that this task takes now. */
  private mark(): void {
    const target = this.active;
    const waiting = target === undefined ? [] : this.team.boards.waitingOn(target.repository, target.task);
    const state = target === undefined ? undefined : this.team.boards.line(target.repository, target.task)?.state;
    const answers = waiting.flatMap((it) => it.approval?.answers ?? []);
    const can = [...answers, ...(state === "landed" || state === "applied" ? ["undo"] : [])].join(" ");
    void vscode.commands.executeCommand("setContext", "baton.reviewing", target === undefined ? "" : `review ${can}`);
  }
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

