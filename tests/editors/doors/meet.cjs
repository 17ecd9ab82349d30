// VS Code's half of two editors on one repository: it approves what Neovim delegated, delegates what Neovim
// approves, and writes down each board that it shows.
const vscode = require("vscode");
const fs = require("node:fs");
const path = require("node:path");
const { board, home, ready, typed, until } = require("./hands.cjs");

exports.run = async () => {
  const { team, repository } = await ready();
  const tell = () => {
    const one = { version: team.boards.version(repository), at: Date.now(), board: board(team) };
    fs.appendFileSync(path.join(home, "vscode.jsonl"), `${JSON.stringify(one)}\n`);
  };
  const is = (task, state) => until(`${task} is ${state}`, () => team.boards.line(repository, task)?.state === state);
  await vscode.commands.executeCommand("baton.showBoard");
  team.onChange(tell);
  tell();
  await is("T1", "awaitingApproval");
  await vscode.commands.executeCommand("baton.approve", { repository, task: "T1" });
  await is("T1", "landed");
  await typed("The second file is missing", "baton.delegate");
  await is("T2", "landed");
  const last = path.join(home, "last.txt");
  await until("the last board is known", () => fs.existsSync(last));
  await until("the last board", () => Number(fs.readFileSync(last, "utf8")) <= team.boards.version(repository));
};
