// The report: what the team was worth, and what it took of the person's time, as a page without scripts.
import { randomBytes } from "node:crypto";
import * as vscode from "vscode";
import type { RatesView, ReportView, TaskStepsView } from "./protocol.gen.js";
import type { Team } from "./team.js";
import { seconds } from "./words.js";

let panel: vscode.WebviewPanel | undefined;

export async function showReport(team: Team): Promise<void> {
  const reports = await Promise.all(team.boards.repositories.map((repository) => team.ask("baton/report", { repository })));
  if (panel === undefined) {
    panel = vscode.window.createWebviewPanel("baton.report", "Baton Report", vscode.ViewColumn.Active, { enableScripts: false, localResourceRoots: [], enableFindWidget: true });
    panel.onDidDispose(() => (panel = undefined));
  }
  panel.webview.html = page(reports, randomBytes(16).toString("hex"));
  panel.reveal();
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (it) => `&#${it.charCodeAt(0)};`);
}

const STYLE = `body { color: var(--vscode-foreground); background: var(--vscode-editor-background); font-family: var(--vscode-font-family); line-height: 1.5; padding: 0 1rem 2rem; }
table { border-collapse: collapse; width: 100%; margin: 0.5rem 0 1.5rem; }
caption { text-align: left; font-weight: 600; padding: 0.25rem 0; }
th, td { text-align: left; vertical-align: top; padding: 0.25rem 0.75rem 0.25rem 0; border-bottom: 1px solid var(--vscode-widget-border, currentColor); }
td { overflow-wrap: anywhere; }`;

function page(reports: ReportView[], nonce: string): string {
  const body = reports.length === 0 ? "<p>No repository is open.</p>" : reports.map(one).join("\n");
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
${body}
</main>
</body>
</html>`;
}

function one(it: ReportView): string {
  const lines = it.digest.lines.map((line) => [line.task, line.title, line.step]);
  const says = it.digest.says === "" ? "Nothing has happened yet." : it.digest.says;
  return `<h2>${escape(it.repository)}</h2>
<p>${escape(says)}</p>
${lines.length === 0 ? "" : table("What happened", ["Task", "Title", "Where it stands"], lines)}
${table("Measures", ["Of", "Tasks", "Delegated", "Shipped", "Your time", "Waited for you", "Cost"], [it.all, ...it.classes].map(rates))}
<p>${escape(it.definition)}</p>
${it.tasks.map(steps).join("\n")}`;
}

function rates(it: RatesView): string[] {
  const of = it.class ?? "all but documentation and chores";
  const cost = it.micros === 0 ? "" : `$${(it.micros / 1_000_000).toFixed(2)}`;
  return [of, String(it.tasks), String(it.delegated), String(it.shipped), time(it.personMs), time(it.waitedMs), cost];
}

function steps(it: TaskStepsView): string {
  const rows = it.steps.map((row) => [row.step, row.role, row.action, time(row.personMs)]);
  return `<h3>${escape(`${it.task} ${it.title}`)}</h3>
${table(`${it.task}, step by step`, ["Step", "Role", "Action", "My time"], rows)}`;
}

function time(ms: number | null | undefined): string {
  return ms === undefined || ms === null ? "" : seconds(ms);
}

function table(caption: string, heads: string[], rows: string[][]): string {
  const head = heads.map((it) => `<th scope="col">${escape(it)}</th>`).join("");
  const body = rows.map((row) => `<tr>${row.map((it) => `<td>${escape(it)}</td>`).join("")}</tr>`).join("");
  return `<table><caption>${escape(caption)}</caption><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table>`;
}
