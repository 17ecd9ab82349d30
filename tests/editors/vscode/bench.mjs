// What activation costs, against an extension that does nothing: each in a fresh extension host, in turns.
// `node bench.mjs [ROUNDS]`, by hand; the figure is in docs/performance.md.
import fs from "node:fs";
import path from "node:path";
import { Desk } from "./desk.mjs";
import { Code, browser, extension } from "./rig.mjs";

const rounds = Number(process.argv[2] ?? 9);
const desk = new Desk();
const results = path.join(desk.dir, "activated.txt");
const empty = path.join(desk.dir, "empty");
const write = (file, text) => {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, text);
};
write(path.join(empty, "package.json"), JSON.stringify({ name: "empty", publisher: "baton", version: "0.0.1", engines: { vscode: "^1.91.0" }, main: "./main.js", activationEvents: ["onNever"] }));
write(path.join(empty, "main.js"), "exports.activate = () => undefined;\n");
// Ours without its event, so that it is activated under the clock.
const ours = path.join(desk.dir, "ours");
fs.cpSync(path.join(extension, "dist"), path.join(ours, "dist"), { recursive: true });
fs.cpSync(path.join(extension, "media"), path.join(ours, "media"), { recursive: true });
const manifest = JSON.parse(fs.readFileSync(path.join(extension, "package.json"), "utf8"));
write(path.join(ours, "package.json"), JSON.stringify({ ...manifest, activationEvents: ["onNever"] }));
write(path.join(desk.dir, "clock.cjs"), `const vscode = require("vscode");
exports.run = async () => {
  const it = vscode.extensions.getExtension(process.env.BATON_BENCH_ID ?? "") ?? vscode.extensions.all.find((one) => /^baton\\./.test(one.id));
  await new Promise((done) => setTimeout(done, 3000));
  const from = performance.now();
  await it.activate();
  require("node:fs").writeFileSync(${JSON.stringify(results)}, String(performance.now() - from));
};
`);

const median = (all) => [...all].sort((a, b) => a - b)[Math.floor(all.length / 2)];
const code = await Code.start(desk, { settings: { "baton.notifications": "none" } });
const opened = await browser();
const all = { empty: [], ours: [] };
try {
  for (let round = 0; round < rounds; round++) {
    for (const [name, folder] of [["empty", empty], ["ours", ours]]) {
      fs.rmSync(results, { force: true });
      const page = await opened.newPage();
      const done = new Promise((resolve) => void page.exposeFunction("codeAutomationExit", resolve));
      await page.exposeFunction("codeAutomationLog", () => undefined);
      const at = `vscode-remote://127.0.0.1:${code.port}`;
      const payload = JSON.stringify([["extensionDevelopmentPath", `${at}${folder}`], ["extensionTestsPath", `${at}${path.join(desk.dir, "clock.cjs")}`], ["skipWelcome", "true"]]);
      await page.goto(code.url(`&payload=${encodeURIComponent(payload)}`));
      await done;
      all[name].push(Number(fs.readFileSync(results, "utf8")));
      await page.close();
    }
  }
} finally {
  await opened.close();
  await code.kill();
  fs.rmSync(desk.dir, { recursive: true, force: true, maxRetries: 5 });
}
for (const [name, times] of Object.entries(all)) {
  console.log(`${name}: median ${median(times).toFixed(1)} ms of ${times.map((it) => it.toFixed(1)).join(" ")}`);
}
console.log(`difference of medians: ${(median(all.ours) - median(all.empty)).toFixed(1)} ms`);
