// Two editors on one repository, each with its half of the story, and when VS Code's window showed what.
// `node meet.mjs BATON REPOSITORY HOME NVIM ARGUMENTS...`, the last being how Neovim's half is played.
import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { Stage } from "./stage.mjs";

const [baton, root, home, nvim, ...neovim] = process.argv.slice(2);
const stage = await Stage.build(baton, root, home);
let other;
try {
  await stage.begin("meet.cjs");
  await stage.types("VS Code shows a board", () => fs.existsSync(path.join(home, "vscode.jsonl")));
  const { page } = stage.window;
  await page.evaluate(() => {
    globalThis.rows = [];
    let before = [];
    const look = () => {
      const now = [...document.querySelectorAll('.monaco-list-row[aria-label^="T"]')].map((it) => it.getAttribute("aria-label"));
      globalThis.rows.push(...now.filter((it) => !before.includes(it)).map((it) => [it, Date.now()]));
      before = now;
    };
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributes: true, attributeFilter: ["aria-label"] });
  });
  other = spawn(nvim, neovim, { cwd: root, stdio: "inherit" });
  const ended = new Promise((done) => other.on("exit", done));
  await stage.plays();
  fs.writeFileSync(path.join(home, "rows.json"), JSON.stringify(await page.evaluate(() => globalThis.rows)));
  console.log(`Neovim ended with ${await ended}`);
} finally {
  other?.kill();
  await stage.end();
}
process.exit(stage.exit === 0 ? 0 : 1);
