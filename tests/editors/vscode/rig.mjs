// Real VS Code on this machine: its server, started in a process group of its own, and a browser as its window.
import { execFileSync, spawn } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

export const tree = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../../..");
export const extension = path.join(tree, "editors/vscode");
export const tools = process.env.BATON_TEST_TOOLS ?? path.join(process.env.CARGO_TARGET_DIR ?? path.join(tree, "target"), "test-tools");
const product = path.join(tools, "vscode-server");
const borrowed = createRequire(path.join(tools, "vscode/package.json"));
const { chromium } = borrowed("playwright-core");
export const axe = () => fs.readFileSync(borrowed.resolve("axe-core/axe.min.js"), "utf8");

const FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--force-prefers-reduced-motion"];
const START_MS_MAX = 60_000;
const SETTINGS = {
  "telemetry.telemetryLevel": "off", "update.mode": "none", "extensions.autoUpdate": false, "extensions.autoCheckUpdates": false,
  "extensions.ignoreRecommendations": true, "workbench.startupEditor": "none", "workbench.enableExperiments": false,
  "workbench.tips.enabled": false, "chat.commandCenter.enabled": false, "git.openRepositoryInParentFolders": "never",
  "window.commandCenter": false, "workbench.layoutControl.enabled": false, "git.enabled": false, "editor.minimap.enabled": false,
  "workbench.statusBar.visible": true, "comments.openView": "never", "security.workspace.trust.untrustedFiles": "open",
};

/** `what` until it is there: screens may be slow on a busy machine. */
export async function until(what, fn, total = 60_000) {
  const end = Date.now() + total;
  let last = new Error("never true");
  for (;;) {
    try {
      const it = await fn();
      if (it) {
        return it;
      }
    } catch (error) {
      last = error;
    }
    if (end < Date.now()) {
      throw new Error(`${what}: ${last.message.split("\n")[0]}`);
    }
    await new Promise((done) => setTimeout(done, 150));
  }
}

function freePort() {
  return new Promise((done) => {
    const server = net.createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });
}

export class Code {
  /** Starts the server for this desk. `vsix` is installed first; `trust`: whether folders are asked about. */
  static async start(desk, { vsix, settings = {}, trust = false, env = {} } = {}) {
    const it = new Code();
    it.desk = desk;
    it.place = path.join(desk.dir, "code");
    fs.mkdirSync(path.join(it.place, "data/User"), { recursive: true });
    fs.writeFileSync(path.join(it.place, "data/User/settings.json"), JSON.stringify({ ...SETTINGS, ...settings }));
    // What is the machine's stands in the machine's own file; in the person's it would count until that is next read.
    const machine = Object.entries(settings).filter(([name]) => name.startsWith("baton.server."));
    fs.mkdirSync(path.join(it.place, "data/Machine"), { recursive: true });
    fs.writeFileSync(path.join(it.place, "data/Machine/settings.json"), JSON.stringify(Object.fromEntries(machine)));
    it.env = { ...desk.env, EXTENSIONS_GALLERY: '{"serviceUrl":"","itemUrl":"","resourceUrlTemplate":""}', ...env };
    it.common = ["--accept-server-license-terms", "--server-data-dir", it.place, "--user-data-dir", path.join(it.place, "data"), "--extensions-dir", path.join(it.place, "ext")];
    it.main = path.join(product, "out/server-main.js");
    if (vsix !== undefined) {
      execFileSync(process.execPath, [it.main, "--install-extension", vsix, ...it.common], { env: it.env, timeout: START_MS_MAX, stdio: "pipe" });
    }
    it.trust = trust;
    await it.run();
    return it;
  }

  async run() {
    this.port = await freePort();
    const args = [this.main, "--host", "127.0.0.1", "--port", String(this.port), "--without-connection-token", "--telemetry-level", "off", ...this.common];
    const log = fs.openSync(path.join(this.place, "server.log"), "a");
    this.child = spawn(process.execPath, this.trust ? args : [...args, "--disable-workspace-trust"], { env: this.env, detached: true, stdio: ["ignore", log, log] });
    await until("VS Code's server is up", async () => (await fetch(`http://127.0.0.1:${this.port}/version`)).ok, START_MS_MAX);
  }

  /** The whole process group: extension hosts outlive a plain kill of the server. */
  async kill() {
    const group = -this.child.pid;
    const alive = () => {
      try {
        return process.kill(group, 0);
      } catch {
        return false;
      }
    };
    process.kill(group, "SIGKILL");
    await until("VS Code's processes are gone", () => !alive(), 10_000);
  }

  url(more = "") {
    return `http://127.0.0.1:${this.port}/?folder=${encodeURI(this.desk.root)}${more}`;
  }

  log() {
    const dir = path.join(this.place, "data/logs");
    const all = fs.existsSync(dir) ? fs.readdirSync(dir, { recursive: true }).filter((it) => /Team[^/]*\.log$|exthost.*\.log$|remoteagent\.log$/.test(it)) : [];
    return all.map((it) => `--- ${it}\n${fs.readFileSync(path.join(dir, it), "utf8").slice(-4000)}`).join("\n");
  }
}

export async function browser() {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: FLAGS });
}

/** The window, as a person sees it. */
export class Window {
  static async open(code, opened) {
    const it = new Window();
    it.page = await opened.newPage({ viewport: { width: 1280, height: 800 }, colorScheme: "dark" });
    it.outside = new Set();
    it.page.on("request", (request) => {
      const url = request.url();
      if (/^(https?|wss?):/.test(url) && !/^\w+:\/\/127\.0\.0\.1[:/]/.test(url)) {
        it.outside.add(url.slice(0, 140));
      }
    });
    await it.page.goto(code.url(), { waitUntil: "domcontentloaded" });
    await it.page.waitForSelector(".monaco-workbench .statusbar", { timeout: 90_000 });
    return it;
  }
  status() {
    return this.page.$eval(".statusbar", (it) => it.textContent);
  }
  waitStatus(what, total = 90_000) {
    return until(`the status says ${what}`, async () => {
      const says = await this.status();
      if (!what.test(says)) {
        throw new Error(says);
      }
      return says;
    }, total);
  }
  async quick(key, text) {
    await until(`${key} ${text}`, async () => {
      await this.page.keyboard.press("Escape");
      await this.page.keyboard.press(key);
      await this.page.waitForSelector(".quick-input-widget:visible input", { timeout: 2500 });
      await this.page.fill(".quick-input-widget:visible input", (key === "F1" ? ">" : "") + text);
      await this.page.waitForSelector(`.quick-input-list .monaco-list-row[aria-label*="${text}"]`, { timeout: 4000 });
      await this.page.keyboard.press("Enter");
      return true;
    });
  }
  command(title) {
    return this.quick("F1", title);
  }
  async file(name) {
    await this.quick("Control+P", name);
    await this.page.waitForSelector(`.tab[data-resource-name="${name}"]`);
    await this.page.waitForSelector(".monaco-editor .view-line");
  }
  /** The input box that is open gets these words. */
  async input(words) {
    await until(`an input for ${words}`, async () => {
      await this.page.waitForSelector(".quick-input-widget:visible .quick-input-box input", { timeout: 3000 });
      return true;
    });
    await this.page.fill(".quick-input-widget:visible .quick-input-box input", words);
    await this.page.keyboard.press("Enter");
  }
  shot(name) {
    return this.page.screenshot({ path: name });
  }
}
