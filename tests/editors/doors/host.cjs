// Plays the story inside VS Code's extension host, by commands. VS Code calls `run`; after a kill it goes on
// with the first step that left nothing. What a person types is typed in the window, from outside.
const vscode = require("vscode");
const fs = require("node:fs");
const path = require("node:path");
const { execFileSync } = require("node:child_process");
const { board, home, ready, typed, until } = require("./hands.cjs");

const kept = path.join(home, "kept");
const steps = JSON.parse(fs.readFileSync(path.join(home, "story.json"), "utf8"));

function holds(wanted, { tasks: [task], approvals: [approval] }) {
  const same = (is, it) => it === null || it === is;
  return task?.state === wanted.state && same(task.role, wanted.role) && same(approval?.id, wanted.approval);
}

/** The changed lines, from the documents that a review opens. */
async function shown(team, target) {
  await vscode.commands.executeCommand("baton.review", target);
  await until("the review", () => vscode.window.tabGroups.activeTabGroup.activeTab?.label.startsWith("Review T1"));
  const [approval] = team.boards.waitingOn(target.repository, target.task);
  const query = JSON.stringify({ ...target, page: "evidence" });
  const evidence = await vscode.workspace.openTextDocument(vscode.Uri.from({ scheme: "baton", path: "/T1 evidence", query }));
  const says = evidence.getText();
  if (!approval.approval.receipts.every((it) => says.includes(it))) {
    throw new Error(`the evidence lacks a receipt:\n${says}`);
  }
  const lines = [];
  for (const { path: name, kind } of approval.approval.files) {
    await vscode.commands.executeCommand("baton.openChange", target, name);
    const input = await until(`the diff of ${name}`, () => {
      const it = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
      return it instanceof vscode.TabInputTextDiff && it.modified.path === `/${name}` && it;
    });
    const texts = await Promise.all([input.original, input.modified].map((it) => vscode.workspace.openTextDocument(it)));
    const [left, to] = texts.map((it) => it.getText().split("\n").filter((line) => line !== ""));
    // The left side of an added file says that there is none.
    const from = kind === "added" ? [] : left;
    lines.push(...from.filter((it) => !to.includes(it)).map((it) => `-${it}`), ...to.filter((it) => !from.includes(it)).map((it) => `+${it}`));
  }
  return lines;
}

async function play(team, repository, step) {
  const target = { repository, task: "T1" };
  switch (step.does) {
    case "delegate":
      return typed(step.text, "baton.delegate");
    case "kill":
      return undefined;
    case "review":
      return shown(team, target);
    case "send back":
      return typed(step.text, "baton.sendBack", target);
    case "approve":
      return vscode.commands.executeCommand("baton.approve", target);
    case "undo":
      return vscode.commands.executeCommand("baton.undo", target);
    default:
      throw new Error(`VS Code cannot ${step.does}`);
  }
}

exports.run = async () => {
  const { team, repository } = await ready();
  for (let n = fs.readdirSync(kept).length; n < steps.length; n++) {
    const step = steps[n];
    const lines = (await play(team, repository, step)) ?? [];
    const now = await until(`step ${n + 1}, ${step.does}`, () => {
      const it = board(team);
      return holds(step.until, it) && it;
    });
    const found = execFileSync("sh", [path.join(__dirname, "look.sh")], { cwd: vscode.workspace.workspaceFolders[0].uri.fsPath, encoding: "utf8" });
    const file = path.join(home, "step.json");
    fs.writeFileSync(file, JSON.stringify({ board: JSON.stringify(now), shown: lines.join("\n"), found }));
    fs.renameSync(file, path.join(kept, `${String(n).padStart(2, "0")}.json`));
    if (steps[n + 1]?.does === "kill") {
      // Nothing more is done in this life.
      await new Promise(() => undefined);
    }
  }
};
