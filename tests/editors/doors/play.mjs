// The story in VS Code: host.cjs plays it in the extension host, here is who types, and who kills.
// `node play.mjs BATON REPOSITORY HOME`, with a person's environment.
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { Code, Window, browser, extension, until } from "../vscode/rig.mjs";

const PLAY_MS_MAX = 240_000;
const here = path.dirname(fileURLToPath(import.meta.url));
const [baton, root, home] = process.argv.slice(2);
const desk = { dir: home, root, home, env: { ...process.env } };
const steps = JSON.parse(fs.readFileSync(path.join(home, "story.json"), "utf8"));
const code = await Code.start(desk, {
  settings: { "baton.server.path": baton, "baton.notifications": "none" }, env: { BATON_TEST_HOME: home },
});
const opened = await browser();
let window;
let exit;

/** A window whose extension host plays on; `exit` is what it ended with. */
async function begin() {
  window = new Window();
  exit = undefined;
  window.page = await opened.newPage({ viewport: { width: 1280, height: 800 } });
  await window.page.exposeFunction("codeAutomationExit", (it) => {
    exit = it;
  });
  await window.page.exposeFunction("codeAutomationLog", () => undefined);
  const at = `vscode-remote://127.0.0.1:${code.port}`;
  const payload = [["extensionDevelopmentPath", `${at}${extension}`], ["extensionTestsPath", `${at}${path.join(here, "host.cjs")}`], ["skipWelcome", "true"]];
  await window.page.goto(code.url(`&payload=${encodeURIComponent(JSON.stringify(payload))}`));
}

/** Types what the host wants typed, until this holds. */
function types(what, fn) {
  const file = path.join(home, "words.txt");
  return until(what, async () => {
    if (fs.existsSync(file)) {
      await window.input(fs.readFileSync(file, "utf8"));
      fs.rmSync(file);
    }
    return fn();
  }, PLAY_MS_MAX);
}

try {
  await begin();
  const kill = steps.findIndex((it) => it.does === "kill");
  await types("the Engineer works", () => fs.readdirSync(path.join(home, "kept")).length === kill);
  await window.page.close();
  await code.kill();
  await code.run();
  await begin();
  await window.waitStatus(/T1 waits for you/);
  console.log("killed, and back on the right board");
  await types("the story ends", () => exit !== undefined);
  if (exit !== 0) {
    console.log(code.log());
  }
} finally {
  await opened.close();
  await code.kill();
}
process.exit(exit === 0 ? 0 : 1);
