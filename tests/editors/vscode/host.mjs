// Runs the tests that go through VS Code's API, inside a real extension host. `node host.mjs BATON`
import fs from "node:fs";
import path from "node:path";
import { Desk } from "./desk.mjs";
import { Code, browser, extension } from "./rig.mjs";

const HOST_MS_MAX = 360_000;
const [baton] = process.argv.slice(2);
const desk = new Desk();
const results = path.join(desk.dir, "results.txt");
const code = await Code.start(desk, {
  settings: { "baton.server.path": baton, "baton.notifications": "none" }, env: { BATON_TEST_RESULTS: results },
});
const opened = await browser();
let failed = true;
try {
  const page = await opened.newPage();
  const done = new Promise((resolve) => void page.exposeFunction("codeAutomationExit", resolve));
  await page.exposeFunction("codeAutomationLog", () => undefined);
  const at = `vscode-remote://127.0.0.1:${code.port}`;
  const payload = JSON.stringify([["extensionDevelopmentPath", `${at}${extension}`], ["extensionTestsPath", `${at}${path.join(extension, "out/host/index.js")}`], ["skipWelcome", "true"]]);
  await page.goto(code.url(`&payload=${encodeURIComponent(payload)}`));
  const exit = await Promise.race([done, new Promise((resolve) => setTimeout(() => resolve("too late"), HOST_MS_MAX))]);
  console.log(fs.existsSync(results) ? fs.readFileSync(results, "utf8") : "no results");
  failed = exit !== 0;
  if (failed) {
    console.log(`exit ${exit}\n${code.log()}`);
  }
} finally {
  await opened.close();
  await code.kill();
  desk.end(baton);
}
process.exit(failed ? 1 : 0);
