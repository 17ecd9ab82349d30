// What a person's hands do in VS Code, from inside of its extension host. Words are typed by stage.mjs.
const vscode = require("vscode");
const fs = require("node:fs");
const path = require("node:path");

const WAIT_MS_MAX = 120_000;
const home = process.env.BATON_TEST_HOME;

async function until(what, fn) {
  const end = Date.now() + WAIT_MS_MAX;
  for (;;) {
    const it = await fn();
    if (it !== undefined && it !== false) {
      return it;
    }
    if (end < Date.now()) {
      throw new Error(`too late: ${what}`);
    }
    await new Promise((done) => setTimeout(done, 20));
  }
}

/** A command that asks for words; where it goes on to ask, the first entry of each list is taken. */
async function typed(words, command, ...args) {
  const file = path.join(home, "words.txt");
  fs.writeFileSync(file, words);
  let ended = false;
  const running = vscode.commands.executeCommand(command, ...args).then(() => {
    ended = true;
  });
  await until("the words are typed", () => !fs.existsSync(file));
  await until("the command ends", async () => {
    await vscode.commands.executeCommand("workbench.action.acceptSelectedQuickOpenItem");
    return ended;
  });
  await running;
}

/** The extension, once it has a board; and the repository. */
async function ready() {
  const team = await vscode.extensions.all.find((it) => /^baton\./.test(it.id)).activate();
  const repository = await until("the board", () => team.running === "ready" && team.boards.repositories[0]);
  return { team, repository };
}

/** The board as the extension holds it. */
function board({ boards }) {
  const waiting = boards.waiting();
  return {
    tasks: boards.all().map((it) => it.task),
    approvals: waiting.flatMap((it) => it.approval ?? []),
    questions: waiting.flatMap((it) => it.question ?? []),
  };
}

module.exports = { board, home, ready, typed, until };
