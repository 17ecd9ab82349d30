// VS Code as a stage: a script of ours plays in its extension host, and here is who types, and who kills.
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { Code, Window, browser, extension, until } from "../vscode/rig.mjs";

const PLAY_MS_MAX = 240_000;
export const here = path.dirname(fileURLToPath(import.meta.url));

export class Stage {
  /** For a repository and a home whose environment this process has. */
  static async build(baton, root, home) {
    const it = new Stage();
    it.home = home;
    const desk = { dir: home, root, home, env: { ...process.env } };
    const settings = { "baton.server.path": baton, "baton.notifications": "none" };
    it.code = await Code.start(desk, { settings, env: { BATON_TEST_HOME: home } });
    it.browser = await browser();
    return it;
  }

  /** A window whose extension host plays this script; `exit` is what it ended with. */
  async begin(script) {
    this.window = new Window();
    this.exit = undefined;
    const page = await this.browser.newPage({ viewport: { width: 1280, height: 800 } });
    this.window.page = page;
    await page.exposeFunction("codeAutomationExit", (it) => {
      this.exit = it;
    });
    await page.exposeFunction("codeAutomationLog", () => undefined);
    const at = `vscode-remote://127.0.0.1:${this.code.port}`;
    const payload = [["extensionDevelopmentPath", `${at}${extension}`], ["extensionTestsPath", `${at}${path.join(here, script)}`], ["skipWelcome", "true"]];
    await page.goto(this.code.url(`&payload=${encodeURIComponent(JSON.stringify(payload))}`));
  }

  /** Types what the host wants typed, until this holds. */
  types(what, fn) {
    const file = path.join(this.home, "words.txt");
    return until(what, async () => {
      if (fs.existsSync(file)) {
        await this.window.input(fs.readFileSync(file, "utf8"));
        fs.rmSync(file);
      }
      return fn();
    }, PLAY_MS_MAX);
  }

  /** As a crash: everything of VS Code is gone, and then there again. */
  async crash() {
    await this.window.page.close();
    await this.code.kill();
    await this.code.run();
  }

  /** Until the host has played to its end. */
  async plays() {
    await this.types("the story ends", () => this.exit !== undefined);
    if (this.exit !== 0) {
      console.log(this.code.log());
    }
  }

  async end() {
    await this.browser.close();
    await this.code.kill();
  }
}
