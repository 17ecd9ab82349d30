// The board as native trees, one a column. A task opens to what waits, its handoffs, runs, receipts and files.
import * as vscode from "vscode";
import type { Column, Waiting } from "./board.js";
import { cut } from "./board.js";
import { pageUri, receipts } from "./documents.js";
import { Pace } from "./pace.js";
import type { ApprovalView, FileLineView, TaskLineView, TaskView } from "./protocol.gen.js";
import type { Team } from "./team.js";
import { receiptLine } from "./words.js";

const LABEL_CHARS_MAX = 90;
/** VS Code draws a tree again once nothing has asked for it in 200 ms, and at once where that is so already: asked
 * more often, it would show nothing new for as long as the team is busy. */
const AGAIN_MS_MIN = 220;

/** What a command from the tree is about. */
export interface TaskNode {
  kind: "task";
  repository: string;
  task: TaskLineView;
}

export interface WaitingNode {
  kind: "waiting";
  repository: string;
  waiting: Waiting;
}

interface Leaf {
  kind: "leaf";
  item: vscode.TreeItem;
}

interface Group {
  kind: "group";
  repository: string;
  task: string;
  name: string;
  icon: string;
  leaves: Leaf[];
}

export type Node = TaskNode | WaitingNode | Group | Leaf;

const ICONS: Record<string, [icon: string, colour?: string]> = {
  awaitingApproval: ["verified", "list.warningForeground"],
  asking: ["question", "list.warningForeground"],
  parked: ["debug-pause", "list.warningForeground"],
  landed: ["pass-filled", "testing.iconPassed"],
  applied: ["pass-filled", "testing.iconPassed"],
  answered: ["comment"],
  rejected: ["close"],
  cancelled: ["circle-slash"],
  undone: ["discard"],
};

export class Tree implements vscode.TreeDataProvider<Node>, vscode.Disposable {
  private readonly changes = new vscode.EventEmitter<void>();
  readonly onDidChangeTreeData = this.changes.event;

  private readonly pace = new Pace(AGAIN_MS_MIN, () => this.changes.fire());

  constructor(private readonly team: Team, private readonly column: Column) {
    team.onChange(() => this.pace.call());
  }

  dispose(): void {
    this.pace.dispose();
    this.changes.dispose();
  }

  getTreeItem(node: Node): vscode.TreeItem {
    switch (node.kind) {
      case "task":
        return this.taskItem(node);
      case "waiting":
        return waitingItem(node);
      case "group": {
        const item = new vscode.TreeItem(node.name, vscode.TreeItemCollapsibleState.Collapsed);
        item.id = `${node.repository}/${node.task}/${node.name}`;
        item.description = String(node.leaves.length);
        item.iconPath = new vscode.ThemeIcon(node.icon);
        item.accessibilityInformation = { label: `${node.leaves.length} ${node.name.toLowerCase()} of ${node.task}` };
        return item;
      }
      case "leaf":
        return node.item;
    }
  }

  async getChildren(node?: Node): Promise<Node[]> {
    if (node === undefined) {
      const tasks = this.team.boards.in(this.column).map((it): Node => ({ kind: "task", ...it }));
      const { more } = this.team.boards;
      return this.column === "ended" && more !== 0 ? [...tasks, leaf(`${more} more shipped or ended before`, "ellipsis")] : tasks;
    }
    switch (node.kind) {
      case "task":
        return this.inside(node);
      case "group":
        return node.leaves;
      case "waiting":
      case "leaf":
        return [];
    }
  }

  private taskItem({ repository, task }: TaskNode): vscode.TreeItem {
    const waiting = this.team.boards.waitingOn(repository, task.id);
    const open = this.column === "needsYou" ? vscode.TreeItemCollapsibleState.Expanded : vscode.TreeItemCollapsibleState.Collapsed;
    const item = new vscode.TreeItem(cut(`${task.id} ${task.title}`, LABEL_CHARS_MAX), open);
    item.id = `${this.column}/${repository}/${task.id}`;
    const where = 1 < this.team.boards.repositories.length ? `${repository}: ` : "";
    item.description = cut(where + task.step, LABEL_CHARS_MAX);
    const [icon, colour] = ICONS[task.state] ?? ["loading~spin"];
    item.iconPath = colour === undefined ? new vscode.ThemeIcon(icon) : new vscode.ThemeIcon(icon, new vscode.ThemeColor(colour));
    item.tooltip = [`${task.id} ${task.title}`, task.step, ...waiting.map((it) => it.approval?.proof ?? it.question?.text ?? "")].join("\n");
    item.contextValue = ["task", ...can(task, waiting)].join(" ");
    item.accessibilityInformation = { label: `${task.id} ${task.title}, ${task.step}` };
    return item;
  }

  private async inside({ repository, task }: TaskNode): Promise<Node[]> {
    const waiting: Node[] = this.team.boards.waitingOn(repository, task.id).map((it) => ({ kind: "waiting", repository, waiting: it }));
    let whole: TaskView;
    try {
      whole = await this.team.task(repository, task.id);
    } catch (error) {
      return [...waiting, leaf(String(error), "error")];
    }
    const files = await this.files(repository, whole);
    const group = (name: string, icon: string, leaves: Leaf[]): Node[] =>
      leaves.length === 0 ? [] : [{ kind: "group", repository, task: task.id, name, icon, leaves }];
    return [
      ...waiting,
      ...group("Handoffs", "arrow-swap", whole.handoffs.map((it) => {
        const verdict = it.verdict === undefined || it.verdict === null ? "" : ` ${it.verdict}`;
        return page(whole, "handoff", it.run, `${it.role} ${it.kind}${verdict}`, cut(it.text, LABEL_CHARS_MAX), it.verdict === "fail" ? "error" : "note");
      })),
      ...group("Runs", "run-all", whole.runs.map((it) => page(whole, "run", it.id, `${it.id} ${it.role}`, it.state, it.state === "live" ? "loading~spin" : "person"))),
      ...group("Receipts", "checklist", receipts(whole).map((it) => page(whole, "receipt", it.id, receiptLine(it), "", it.green ? "pass" : "error"))),
      ...group("Files", "files", files.map((it) => fileLeaf(repository, task.id, it))),
    ];
  }

  /** Of a waiting change without asking; else what the task changes so far, if anything. */
  private async files(repository: string, task: TaskView): Promise<FileLineView[]> {
    const waiting = task.approvals.find((it) => it.state === "open");
    if (waiting !== undefined && 0 < waiting.files.length) {
      return waiting.files;
    }
    const head = task.handoffs.some((it) => it.kind === "changed");
    if (!head) {
      return [];
    }
    const diff = await this.team.ask("baton/diff", { repository, task: task.id }).catch(() => undefined);
    return diff?.files.map((it) => it.file) ?? [];
  }
}

/** What may be done with a task, as words for `when` clauses. */
function can(task: TaskLineView, waiting: Waiting[]): string[] {
  const answers = waiting.flatMap((it) => it.approval?.answers ?? []);
  const reviewable = waiting.some((it) => it.approval !== undefined);
  const landed = task.state === "landed" || task.state === "applied";
  const open = ["needsYou", "working", "parked"].includes(task.column);
  return [
    ...answers,
    ...(waiting.some((it) => it.question !== undefined) ? ["answer"] : []),
    ...(reviewable || landed ? ["review"] : []),
    ...(landed ? ["undo"] : []),
    ...(open ? ["open"] : []),
    ...(task.column === "parked" ? ["retry"] : []),
  ];
}

function waitingItem({ repository, waiting }: WaitingNode): vscode.TreeItem {
  const { approval, question, task } = waiting;
  const says = approval?.proof ?? question?.text ?? "";
  const item = new vscode.TreeItem(cut(says, LABEL_CHARS_MAX));
  item.id = `${repository}/${task}/${approval?.id ?? question?.id ?? ""}`;
  item.description = approval === undefined ? "asks you" : sized(approval);
  item.tooltip = [says, ...(approval?.why ?? [])].join("\n");
  item.iconPath = new vscode.ThemeIcon(approval === undefined ? "comment-discussion" : "shield");
  item.contextValue = ["waiting", ...(approval?.answers ?? ["answer"]), ...(approval === undefined ? [] : ["review"])].join(" ");
  item.accessibilityInformation = { label: `${task} waits for you: ${says}` };
  const command = approval === undefined ? "baton.answer" : "baton.review";
  item.command = { command, title: approval === undefined ? "Answer" : "Review", arguments: [{ repository, task }] };
  return item;
}

function sized(it: ApprovalView): string {
  return it.files.length === 0 ? it.subject : `+${it.added} -${it.removed}`;
}

function leaf(label: string, icon: string): Leaf {
  const item = new vscode.TreeItem(cut(label, LABEL_CHARS_MAX));
  item.iconPath = new vscode.ThemeIcon(icon);
  return { kind: "leaf", item };
}

function page(task: TaskView, kind: "handoff" | "run" | "receipt", id: string, label: string, description: string, icon: string): Leaf {
  const it = leaf(label, icon);
  it.item.description = description;
  it.item.accessibilityInformation = { label: `${label} ${description}`.trim() };
  const uri = pageUri({ repository: task.repository, task: task.id, page: kind, id });
  it.item.command = { command: "vscode.open", title: "Open", arguments: [uri, { preview: true }] };
  return it;
}

function fileLeaf(repository: string, task: string, file: FileLineView): Leaf {
  const it = leaf(file.path, file.kind === "added" ? "diff-added" : file.kind === "deleted" ? "diff-removed" : "diff-modified");
  it.item.description = `+${file.added} -${file.removed}`;
  it.item.accessibilityInformation = { label: `${file.path}, ${file.kind}, ${file.added} lines added, ${file.removed} removed` };
  it.item.command = { command: "baton.openChange", title: "Open Change", arguments: [{ repository, task }, file.path] };
  return it;
}

/** The trees, and the number on the icon: how many tasks need the person. */
export function openTrees(team: Team): vscode.Disposable[] {
  const columns: Column[] = ["needsYou", "working", "shipped", "parked", "ended"];
  const trees = columns.map((it) => new Tree(team, it));
  const views = columns.map((it, at) => vscode.window.createTreeView(`baton.${it}`, { treeDataProvider: trees[at] as Tree, showCollapseAll: it !== "ended" }));
  const [needsYou] = views;
  const show = (): void => {
    const count = team.boards.in("needsYou").length;
    if (needsYou !== undefined) {
      needsYou.badge = count === 0 ? undefined : { value: count, tooltip: count === 1 ? "1 task waits for you" : `${count} tasks wait for you` };
    }
  };
  team.onChange(show);
  show();
  return [...views, ...trees];
}

