// Baton in VS Code: a thin client. The server does the work; here is what shows it and what asks for it.
import * as vscode from "vscode";
import { status } from "./board.js";
import { Commands } from "./commands.js";
import { Documents, SCHEME } from "./documents.js";
import { Gatherer, type Pointer } from "./gather.js";
import type { AttentionParams } from "./protocol.gen.js";
import { Reviews } from "./review.js";
import { Team } from "./team.js";
import { openTrees } from "./tree.js";

const ENDS = ["shipped", "ended"];

let team: Team | undefined;

/** Other extensions get the team: its boards, and `ask`. */
export function activate(context: vscode.ExtensionContext): Team {
  const it = new Team(context.extensionUri);
  team = it;
  const reviews = new Reviews(it, context.workspaceState);
  const documents = new Documents(it);
  context.subscriptions.push(
    it, reviews, documents,
    vscode.workspace.registerTextDocumentContentProvider(SCHEME, documents),
    ...new Commands(it, reviews).register(),
    ...openTrees(it),
    openStatus(it),
    point(it),
    vscode.workspace.onDidGrantWorkspaceTrust(() => void it.start()),
    vscode.workspace.onDidChangeWorkspaceFolders(() => void it.start()),
    vscode.workspace.onDidChangeConfiguration((change) => {
      if (change.affectsConfiguration("baton.server")) {
        void it.restart();
      }
    }),
  );
  void it.start();
  return it;
}

export async function deactivate(): Promise<void> {
  await team?.stop();
}

function openStatus(it: Team): vscode.Disposable {
  const item = vscode.window.createStatusBarItem("baton.status", vscode.StatusBarAlignment.Left, 50);
  item.name = "Baton";
  item.command = "baton.showBoard";
  const show = (): void => {
    const now = status(it.running, it.boards);
    item.text = now.text;
    item.tooltip = now.tooltip;
    item.accessibilityInformation = { label: now.label };
    item.backgroundColor = now.warns ? new vscode.ThemeColor("statusBarItem.warningBackground") : undefined;
  };
  it.onChange(show);
  show();
  item.show();
  return item;
}

type Level = "none" | "needed" | "finished";

function level(): Level {
  return vscode.workspace.getConfiguration("baton").get<Level>("notifications", "needed");
}

/** Points to what waits, and where it is wished to what ended. Nothing is decided in a message. */
function point(it: Team): vscode.Disposable {
  const gatherer = new Gatherer((one) => isWaiting(it, one), (pointer) => void show(pointer));
  const heard = it.onAttention((one) => {
    it.log.info(one.says);
    if (level() !== "none") {
      gatherer.hear(one);
    }
  });
  const open = new Set<string>();
  it.onChange(() => {
    for (const { repository, task } of it.boards.all()) {
      const key = `${repository} ${task.id}`;
      if (!ENDS.includes(task.column)) {
        open.add(key);
      } else if (open.delete(key) && level() === "finished") {
        const target = { repository, task: task.id };
        void vscode.window.showInformationMessage(`${task.id} ${task.step}`, "Open").then((chosen) =>
          chosen === undefined ? undefined : vscode.commands.executeCommand("baton.openTask", target));
      }
    }
  });
  return vscode.Disposable.from(heard, gatherer);
}

function isWaiting(it: Team, one: AttentionParams): boolean {
  const waiting = it.boards.waitingOn(one.repository, one.task);
  return one.kind === "parked" || waiting.some((each) => (each.approval ?? each.question)?.id === one.id);
}

async function show(pointer: Pointer): Promise<void> {
  const { only, text } = pointer;
  const [does, command] = only === undefined || only.kind === "parked" ? ["Show", "baton.showBoard"] : only.kind === "question" ? ["Answer", "baton.answer"] : ["Review", "baton.review"];
  const chosen = await vscode.window.showInformationMessage(text, does, "Later");
  if (chosen === does) {
    const target = only === undefined ? undefined : { repository: only.repository, task: only.task };
    await vscode.commands.executeCommand(command, target);
  }
}
