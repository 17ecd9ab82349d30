// What a person can do, by name: from the palette, a tree, a review, a comment or the menu of code actions.
// Where it isn't said which task is meant, a list of those that fit asks.
import { randomUUID } from "node:crypto";
import * as vscode from "vscode";
import { cut, type Waiting } from "./board.js";
import { pageUri, read } from "./documents.js";
import type { ChosenHunks, DelegateParams, Problem, RangeIn, TaskLineView } from "./protocol.gen.js";
import { showReport } from "./report.js";
import { openApproval, type Reviews, type Target } from "./review.js";
import type { Team } from "./team.js";

const SAID_MS = 6_000;
const TITLE_CHARS_MAX = 60;

/** What kind of task it is, as the server names them; with a selection also what is wanted of it. */
const KINDS: [label: string, description: string, given: Pick<DelegateParams, "class" | "origin">, needsSelection?: boolean][] = [
  ["Let the team decide", "from your words", {}],
  ["Bug", "it is built and validated", { class: "bug" }],
  ["Feature", "it is designed first", { class: "feature" }],
  ["Refactor", "it is designed first; what it does stays", { class: "refactor" }],
  ["Docs", "it is changed without a design", { class: "docs" }],
  ["Chore", "it is changed without a design", { class: "chore" }],
  ["Question", "it is answered and nothing is changed", { class: "question", origin: "question" }],
  ["Write tests", "for what is selected", { origin: "tests" }, true],
];
const AMOUNTS = ["$0.25", "$0.50", "$1.00", "200k tokens"];

type Fits = (task: TaskLineView, waiting: Waiting[]) => boolean;

export class Commands {
  /** Words that the server did not take, or has not got yet: they are there the next time. */
  private readonly unsent = new Map<string, string>();

  constructor(private readonly team: Team, private readonly reviews: Reviews) {}

  register(): vscode.Disposable[] {
    const all: Record<string, (...args: unknown[]) => Promise<unknown>> = {
      "baton.delegate": () => this.delegate(),
      "baton.review": (it) => this.review(it),
      "baton.approve": (it) => this.approve(it),
      "baton.sendBack": (it) => this.sendBack(it),
      "baton.reject": (it) => this.reject(it),
      "baton.answer": (it) => this.answer(it),
      "baton.say": (it) => this.say(it),
      "baton.undo": (it) => this.done(it, "baton/undo", "Undo", (task) => task.state === "landed" || task.state === "applied"),
      "baton.cancel": (it) => this.done(it, "baton/cancel", "Cancel", isOpen),
      "baton.retry": (it) => this.done(it, "baton/retry", "Retry", (task) => task.column === "parked"),
      "baton.openTask": (it) => this.openTask(it),
      "baton.openChange": (it, path) => this.reviews.showFile(it as Target, String(path)),
      "baton.openResult": (it) => this.openResult(it),
      "baton.chooseHunks": (it) => this.chooseHunks(it),
      "baton.toggleHunk": (it, id) => Promise.resolve(this.toggleHunk(it, id)),
      "baton.openReport": () => showReport(this.team),
      "baton.showBoard": () => this.showBoard(),
      "baton.restartServer": () => this.team.restart(),
      "baton.showLog": () => Promise.resolve(this.team.log.show()),
      "baton.comment.add": (it) => Promise.resolve(this.reviews.comment(it as vscode.CommentReply)),
      "baton.comment.remove": (it) => Promise.resolve(this.reviews.remove(it as vscode.Comment)),
    };
    this.team.taken.set("baton.do.delegate", (it, next) => this.delegateHere(it as DelegateParams, next));
    this.team.taken.set("baton.do.review", (it) => this.review(it));
    this.team.taken.set("baton.do.show", (it) => this.openTask(it));
    this.team.taken.set("baton.do.answer", async (it, next) => {
      this.said(await next(it));
    });
    return Object.entries(all).map(([name, does]) => vscode.commands.registerCommand(name, (...args: unknown[]) => this.guard(() => does(...args))));
  }

  /** What went wrong is said, with the server's hint. */
  private async guard(does: () => Promise<unknown>): Promise<unknown> {
    try {
      return await does();
    } catch (error) {
      const says = error instanceof Error ? error.message : String(error);
      this.team.log.error(says);
      void vscode.window.showErrorMessage(`Baton: ${says}`);
      return undefined;
    }
  }

  /** Asks for words. What was typed is kept under `from` until the server has got it. */
  private async words(from: string, options: vscode.InputBoxOptions): Promise<string | undefined> {
    const text = await vscode.window.showInputBox({ value: this.unsent.get(from) ?? "", ignoreFocusOut: true, ...options });
    if (text !== undefined && from !== "") {
      this.unsent.set(from, text);
    }
    return text;
  }

  private said(it: unknown): void {
    const says = (it as { says?: unknown } | undefined)?.says;
    if (typeof says === "string") {
      vscode.window.setStatusBarMessage(`$(check) ${cut(says, 100)}`, SAID_MS);
      this.team.log.info(says);
    }
  }

  /** A menu's "Delegate ...": the person's own words go along. None is fine; Escape delegates nothing. */
  private async delegateHere(params: DelegateParams, next: (argument: unknown) => Promise<unknown>): Promise<unknown> {
    const text = await vscode.window.showInputBox({
      title: "Delegate to the team",
      prompt: "In your words; leave it empty to let the selection speak for itself",
      placeHolder: "What is wrong, or what you want",
      ignoreFocusOut: true,
    });
    if (text === undefined) {
      return undefined;
    }
    const done = (await next(text.trim() === "" ? params : { ...params, text })) as { task?: string } | undefined;
    if (done?.task !== undefined) {
      this.said({ says: `${done.task} delegated` });
    }
    return done;
  }

  private async delegate(): Promise<void> {
    const editor = vscode.window.activeTextEditor;
    const here = editor?.document.uri.scheme === "file" ? editor : undefined;
    const selection = here?.selection;
    const place = here !== undefined && selection !== undefined && !selection.isEmpty ? `${vscode.workspace.asRelativePath(here.document.uri)}:${selection.start.line + 1}-${selection.end.line + 1}` : undefined;
    const text = await this.words("delegate", {
      title: "Delegate to the team",
      prompt: place === undefined ? "The task, in your words" : `The task, in your words; ${place} goes along`,
      placeHolder: "What is wrong, or what you want",
      validateInput: (it) => (it.trim() === "" && place === undefined ? "Say what to do, or select lines first" : undefined),
    });
    if (text === undefined) {
      return;
    }
    const kind = await pick("What it is", KINDS.filter((it) => it[3] !== true || place !== undefined));
    const budget = kind === undefined ? undefined : await amount();
    const base = budget === undefined ? undefined : await pick("Start from", [
      ["What I see", "unsaved text too", "seen"],
      ["The last commit", "without your changes", "head"],
    ]);
    if (kind === undefined || budget === undefined || base === undefined) {
      return;
    }
    // Without a place there is nothing that an origin could be said of.
    const given = place === undefined ? { class: kind.value.class ?? null } : { origin: "selection", ...kind.value };
    const params: DelegateParams = {
      text: text.trim() === "" ? null : text, base: base.value, budget: budget.value, ...given, key: randomUUID(),
      ...(here === undefined || selection === undefined || place === undefined ? {} : {
        textDocument: { uri: here.document.uri.toString() }, range: range(selection), diagnostics: problems(here.document.uri, selection),
      }),
    };
    const repository = place === undefined ? await this.repository() : undefined;
    const done = await this.team.ask("baton/delegate", repository === undefined ? params : { ...params, repository });
    this.unsent.delete("delegate");
    this.said({ says: `${done.task} delegated` });
  }

  private async repository(): Promise<string | undefined> {
    const all = this.team.boards.repositories;
    return all.length < 2 ? all[0] : vscode.window.showQuickPick(all, { title: "In which repository" });
  }

  private async review(it: unknown): Promise<void> {
    const fits: Fits = (task, waiting) => waiting.some((one) => one.approval !== undefined) || task.state === "landed" || task.state === "applied";
    const target = await this.target(it, "Review", fits);
    if (target !== undefined) {
      await this.reviews.show(target);
    }
  }

  private async approve(it: unknown): Promise<void> {
    const says = (answers: string[]): boolean => answers.includes("approve") || answers.includes("apply");
    const target = await this.target(it, "Approve", (_, waiting) => waiting.some((one) => says(one.approval?.answers ?? [])));
    const approval = target === undefined ? undefined : openApproval(await this.team.task(target.repository, target.task));
    if (target === undefined || approval === undefined) {
      return this.nothing(target, "approve");
    }
    const answer = approval.answers.includes("approve") ? "approve" : "apply";
    const ticked = approval.ticks.length === 0 ? [] : await tick(approval.ticks);
    if (ticked === undefined) {
      return;
    }
    const hunks = answer === "approve" ? await this.some(target) : null;
    if (hunks === undefined) {
      return;
    }
    this.said(await this.team.ask("baton/answerApproval", { repository: target.repository, approval: approval.id, revision: approval.revision ?? null, answer, ticked, hunks }));
  }

  /** Where hunks are left out, what will land is said once more; `null`: all of it, `undefined`: nothing yet. */
  private async some(target: Target): Promise<ChosenHunks[] | null | undefined> {
    const hunks = this.reviews.hunks(target);
    if (hunks === undefined) {
      return null;
    }
    const all = this.reviews.parts(target);
    const taken = all.filter((it) => it.taken).length;
    if (taken === 0) {
      throw new Error(`every hunk of ${target.task} is left out; reject it, or take one`);
    }
    const items = [
      { label: `Approve ${taken} of ${all.length} hunks`, detail: "They are checked by themselves, and land if they are green", hunks },
      { label: "Approve all of it", detail: "As it was checked", hunks: null },
    ];
    return (await vscode.window.showQuickPick(items, { title: `Approve ${target.task}`, ignoreFocusOut: true }))?.hunks;
  }

  private async chooseHunks(it: unknown): Promise<void> {
    const target = targetOf(it) ?? this.reviews.active;
    const all = target === undefined ? [] : this.reviews.parts(target);
    if (target === undefined || all.length === 0) {
      void vscode.window.showInformationMessage("Open a review first; its hunks can be chosen there.");
      return;
    }
    const items = all.map(({ part, taken }) => ({ label: `${part.path}:${part.line}`, description: cut(part.says, 120), picked: taken, id: part.id }));
    const chosen = await vscode.window.showQuickPick(items, { title: `What is taken of ${target.task}`, placeHolder: "Approve lands what is ticked", canPickMany: true, matchOnDescription: true, ignoreFocusOut: true });
    for (const item of chosen === undefined ? [] : items) {
      this.reviews.take(target, item.id, chosen?.includes(item) === true);
    }
  }

  /** The hunk of a lens, or the one that the cursor stands in. */
  private toggleHunk(it: unknown, id: unknown): void {
    const editor = vscode.window.activeTextEditor;
    const named = targetOf(it);
    const found = named !== undefined && typeof id === "string" ? { target: named, id } : editor === undefined ? undefined : this.reviews.hunkAt(editor);
    if (found === undefined) {
      void vscode.window.showInformationMessage("Put the cursor into a hunk of a review first.");
      return;
    }
    const taken = !this.reviews.isTaken(found.target, found.id);
    this.reviews.take(found.target, found.id, taken);
    vscode.window.setStatusBarMessage(taken ? "$(check) the hunk is taken" : "$(circle-slash) the hunk is left out", SAID_MS);
  }

  /** A checkout of the result that the server made, in a window of its own. */
  private async openResult(it: unknown): Promise<void> {
    const fits: Fits = (task, waiting) => waiting.some((one) => one.approval !== undefined) || ["landed", "applied", "parked"].includes(task.state);
    const target = await this.target(it, "Open result", fits);
    if (target !== undefined) {
      const made = await this.team.ask("baton/checkout", target);
      this.said(made);
      await vscode.commands.executeCommand("vscode.openFolder", vscode.Uri.file(made.path), { forceNewWindow: true });
    }
  }

  private async sendBack(it: unknown): Promise<void> {
    const target = await this.target(it, "Send back", (_, waiting) => waiting.some((one) => one.approval?.answers.includes("revise")));
    const approval = target === undefined ? undefined : openApproval(await this.team.task(target.repository, target.task));
    if (target === undefined || approval?.answers.includes("revise") !== true) {
      return this.nothing(target, "send back");
    }
    const pending = this.reviews.pending(target);
    const from = `revise ${approval.id} ${target.repository}`;
    const words = await this.words(from, {
      title: `Send ${target.task} back`,
      prompt: pending === 0 ? "What to do differently" : `What to do differently; ${pending === 1 ? "your comment goes" : `your ${pending} comments go`} along`,
      validateInput: (text) => (text.trim() === "" && pending === 0 ? "Say what to do differently, or comment on lines first" : undefined),
    });
    if (words === undefined) {
      return;
    }
    const comments = this.reviews.comments(target);
    const text = words.trim() === "" ? null : words;
    this.said(await this.team.ask("baton/answerApproval", { repository: target.repository, approval: approval.id, revision: approval.revision ?? null, answer: "revise", text, comments }));
    this.unsent.delete(from);
    this.reviews.sent(target);
    await this.reviews.close(target);
  }

  private async reject(it: unknown): Promise<void> {
    const target = await this.target(it, "Reject", (_, waiting) => waiting.some((one) => one.approval?.answers.includes("reject")));
    const approval = target === undefined ? undefined : openApproval(await this.team.task(target.repository, target.task));
    if (target === undefined || approval === undefined) {
      return this.nothing(target, "reject");
    }
    const text = await this.words("", { title: `Reject ${target.task}`, prompt: "Why; the task ends and nothing of it lands" });
    if (text !== undefined) {
      this.said(await this.team.ask("baton/answerApproval", { repository: target.repository, approval: approval.id, revision: approval.revision ?? null, answer: "reject", text }));
    }
  }

  private async answer(it: unknown): Promise<void> {
    const target = await this.target(it, "Answer", (_, waiting) => waiting.some((one) => one.question !== undefined));
    const question = target === undefined ? undefined : this.team.boards.waitingOn(target.repository, target.task).find((one) => one.question !== undefined)?.question;
    if (target === undefined || question === undefined) {
      return this.nothing(target, "answer");
    }
    const own = "In your own words...";
    const items = question.options.map((label, at): vscode.QuickPickItem => ({ label: cut(label, 200), description: at === question.default ? "taken by itself at the deadline" : "" }));
    const chosen = await vscode.window.showQuickPick([...items, { label: own }], { title: `${target.task} asks: ${cut(question.text, 200)}`, placeHolder: cut(question.stakes, 200), ignoreFocusOut: true });
    const at = chosen === undefined ? -1 : items.indexOf(chosen);
    const text = chosen?.label === own ? await vscode.window.showInputBox({ title: cut(question.text, 200), ignoreFocusOut: true }) : question.options[at];
    if (text !== undefined && text.trim() !== "") {
      this.said(await this.team.ask("baton/answerQuestion", { repository: target.repository, question: question.id, text }));
    }
  }

  private async say(it: unknown): Promise<void> {
    const target = await this.target(it, "Say to the Engineer", isOpen);
    const from = target === undefined ? "" : `say ${target.task} ${target.repository}`;
    const text = target === undefined ? undefined : await this.words(from, { title: `Say to whoever works on ${target.task}`, prompt: "Heard before the model is asked next" });
    if (target !== undefined && text !== undefined && text.trim() !== "") {
      this.said(await this.team.ask("baton/say", { ...target, text }));
      this.unsent.delete(from);
    }
  }

  private async done(it: unknown, method: "baton/undo" | "baton/cancel" | "baton/retry", title: string, fits: Fits): Promise<void> {
    const target = await this.target(it, title, fits);
    if (target !== undefined) {
      this.said(await this.team.ask(method, target));
    }
  }

  private async openTask(it: unknown): Promise<void> {
    const target = await this.target(it, "Open", () => true);
    if (target !== undefined) {
      await vscode.window.showTextDocument(pageUri({ ...target, page: "task" }), { preview: true });
    }
  }

  private async showBoard(): Promise<void> {
    const column = 0 < this.team.boards.in("needsYou").length ? "needsYou" : "working";
    await vscode.commands.executeCommand(`baton.${column}.focus`);
  }

  private nothing(target: Target | undefined, verb: string): void {
    if (target !== undefined) {
      void vscode.window.showInformationMessage(`${target.task} has nothing to ${verb} now.`);
    }
  }

  /** The task that is meant: by what was clicked, by the review in front, or by choosing among those that fit. */
  private async target(it: unknown, title: string, fits: Fits): Promise<Target | undefined> {
    const named = targetOf(it) ?? this.active(fits);
    if (named !== undefined) {
      return named;
    }
    const all = this.team.boards.all().filter(({ repository, task }) => fits(task, this.team.boards.waitingOn(repository, task.id)));
    const items = all.map(({ repository, task }) => {
      const [waiting] = this.team.boards.waitingOn(repository, task.id);
      const detail = waiting?.approval?.proof ?? waiting?.question?.text ?? task.step;
      return { label: `${task.id} ${cut(task.title, TITLE_CHARS_MAX)}`, detail: cut(detail, 160), target: { repository, task: task.id } };
    });
    if (items.length === 0) {
      void vscode.window.showInformationMessage(`${title}: there is no task for that now.`);
      return undefined;
    }
    return (await vscode.window.showQuickPick(items, { title, placeHolder: "Which task", matchOnDetail: true }))?.target;
  }

  private active(fits: Fits): Target | undefined {
    const it = this.reviews.active;
    const task = it === undefined ? undefined : this.team.boards.line(it.repository, it.task);
    return it !== undefined && task !== undefined && fits(task, this.team.boards.waitingOn(it.repository, it.task)) ? it : undefined;
  }
}

const isOpen: Fits = (task) => ["needsYou", "working", "parked"].includes(task.column);

/** Of a tree's node, a comment, a document of ours, or what the server's menus name. */
export function targetOf(it: unknown): Target | undefined {
  if (typeof it !== "object" || it === null) {
    return undefined;
  }
  if (it instanceof vscode.Uri) {
    const about = read(it);
    return about === undefined ? undefined : { repository: about.repository, task: about.task };
  }
  const node = it as { repository?: unknown; task?: unknown; waiting?: Waiting; thread?: vscode.CommentThread; uri?: unknown };
  const task = typeof node.task === "string" ? node.task : (node.task as TaskLineView | undefined)?.id ?? node.waiting?.task;
  if (typeof node.repository === "string" && typeof task === "string") {
    return { repository: node.repository, task };
  }
  const uri = node.thread?.uri ?? node.uri;
  return uri instanceof vscode.Uri ? targetOf(uri) : undefined;
}

async function pick<T>(title: string, all: [label: string, description: string, value: T, ...rest: unknown[]][]): Promise<{ value: T } | undefined> {
  const items = all.map(([label, description, value]) => ({ label, description, value }));
  return vscode.window.showQuickPick(items, { title, ignoreFocusOut: true });
}

/** What a task may use at most; `null`: as it is configured. The server reads it, and knows the limits. */
async function amount(): Promise<{ value: string | null } | undefined> {
  const own = "Another amount...";
  const chosen = await pick<string | null>("What it may use at most", [
    ["As configured", "the limits of your config.toml", null],
    ...AMOUNTS.map((it): [string, string, string] => [it, "lower than configured, or it is refused", it]),
    [own, "in dollars, tokens, or both", own],
  ]);
  if (chosen?.value !== own) {
    return chosen;
  }
  const value = await vscode.window.showInputBox({ title: "What it may use at most", prompt: "0.50 for dollars, 200k tokens for tokens, or both with a comma", ignoreFocusOut: true });
  return value === undefined ? undefined : { value: value.trim() === "" ? null : value };
}

/** Every path that needs a tick of its own must get one; a picker that is left decides nothing. */
async function tick(paths: string[]): Promise<string[] | undefined> {
  const items = paths.map((label): vscode.QuickPickItem => ({ label, picked: false }));
  const chosen = await vscode.window.showQuickPick(items, { title: "These need a tick of their own", placeHolder: "Tick each path that you have looked at", canPickMany: true, ignoreFocusOut: true });
  return chosen?.map((it) => it.label);
}

function range(it: vscode.Range): RangeIn {
  return { start: { line: it.start.line, character: it.start.character }, end: { line: it.end.line, character: it.end.character } };
}

/** Everybody's problems there: the server itself is sent only its own. */
function problems(uri: vscode.Uri, here: vscode.Range): Problem[] {
  const all = vscode.languages.getDiagnostics(uri).filter((it) => it.range.intersection(here) !== undefined);
  return all.map((it) => ({ range: range(it.range), message: it.message, source: it.source ?? null }));
}

