// The report: what the team did and what it took of the person's time, as a page without scripts.
import { randomBytes } from "node:crypto";
import * as vscode from "vscode";
import { COLUMNS, type Boards } from "./board.js";
import type { TaskView } from "./protocol.gen.js";
import type { Team } from "./team.js";
import { seconds } from "./words.js";

const TASKS_MAX = 20;

let panel: vscode.WebviewPanel | undefined;

export async function showReport(team: Team): Promise<void> {
  const lines = team.boards.all().slice(0, TASKS_MAX);
  const tasks = await Promise.all(lines.map((it) => team.task(it.repository, it.task.id)));
  if (panel === undefined) {
    panel = vscode.window.createWebviewPanel("baton.report", "Baton Report", vscode.ViewColumn.Active, { enableScripts: false, localResourceRoots: [], enableFindWidget: true });
    panel.onDidDispose(() => (panel = undefined));
  }
  panel.webview.html = page(team.boards, tasks, randomBytes(16).toString("hex"));
  panel.reveal();
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (it) => `&#${it.charCodeAt(0)};`);
}

const NAMES: Record<string, string> = { needsYou: "Needs you", working: "Working", shipped: "Shipped", parked: "Parked", ended: "Ended" };

const STYLE = `body { color: var(--vscode-foreground); background: var(--vscode-editor-background); font-family: var(--vscode-font-family); line-height: 1.5; padding: 0 1rem 2rem; }
table { border-collapse: collapse; width: 100%; margin: 0.5rem 0 1.5rem; }
caption { text-align: left; font-weight: 600; padding: 0.25rem 0; }
th, td { text-align: left; vertical-align: top; padding: 0.25rem 0.75rem 0.25rem 0; border-bottom: 1px solid var(--vscode-widget-border, currentColor); }
td { overflow-wrap: anywhere; }`;

function page(boards: Boards, tasks: TaskView[], nonce: string): string {
  const counts = COLUMNS.map((it) => `<tr><th scope="row">${NAMES[it] ?? it}</th><td>${boards.in(it).length}</td></tr>`).join("");
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'nonce-${nonce}'">
<title>Baton Report</title>
<style nonce="${nonce}">${STYLE}</style>
</head>
<body>
<main>
<h1>Report</h1>
<table><caption>The board</caption><thead><tr><th scope="col">Column</th><th scope="col">Tasks</th></tr></thead><tbody>${counts}</tbody></table>
${tasks.map(taskTable).join("\n")}
</main>
</body>
</html>`;
}

/** What each one did for a task, and how long it waited for the person. */
function taskTable(task: TaskView): string {
  const runs = task.runs.map((it) => ({ at: it.startedAt, who: it.role, does: `${it.state}${it.failure === undefined || it.failure === null ? "" : `: ${it.failure}`}, ${it.cost.calls} calls, ${it.receipts.length} receipts`, mine: "" }));
  const asked = task.approvals.map((it) => {
    const answered = task.timeline.find((one) => it.askedAt < one.at && it.outcome !== undefined && it.outcome !== null && one.text.includes(it.id));
    return { at: it.askedAt, who: "You", does: it.outcome ?? `asked: ${it.proof}`, mine: answered === undefined ? "" : seconds(answered.at - it.askedAt) };
  });
  const rows = [...runs, ...asked].sort((a, b) => a.at - b.at).map((it, at) =>
    `<tr><td>${at + 1}</td><td>${escape(it.who)}</td><td>${escape(it.does)}</td><td>${escape(it.mine)}</td></tr>`);
  return `<h2>${escape(`${task.id} ${task.title}`)}</h2><p>${escape(task.says)}</p>
<table><caption>${escape(task.id)}, step by step</caption><thead><tr><th scope="col">Step</th><th scope="col">Role</th><th scope="col">Action</th><th scope="col">My time</th></tr></thead><tbody>${rows.join("")}</tbody></table>`;
}
