// A person's desk: a small project with a bug, a state folder of its own, and a scripted model.
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const here = path.dirname(fileURLToPath(import.meta.url));

const FILES = {
  "package.json": '{ "name": "project", "private": true, "type": "module", "scripts": { "test": "node --test" } }\n',
  ".gitignore": "node_modules\n",
  ".vscode/settings.json": '{ "baton.server.path": "/nowhere/of-the-workspace", "baton.server.inProcess": true }\n',
  "notes.md": "# Notes\n",
  "src/average.js": `// Small things about numbers.

/** The average of some numbers. */
export function average(numbers) {
  const sum = numbers.reduce((a, b) => a + b);
  return sum / numbers.length;
}

/** The largest of some numbers. */
export function largest(numbers) {
  return Math.max(...numbers);
}
`,
  "test/average.test.js": `import test from "node:test";
import assert from "node:assert/strict";
import { average, largest } from "../src/average.js";

test("the average of two", () => {
  assert.equal(average([1, 3]), 2);
});

test("the largest of three", () => {
  assert.equal(largest([1, 5, 3]), 5);
});
`,
};

export class Desk {
  constructor(script = "script.toml") {
    this.dir = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "baton-vscode-")));
    this.root = path.join(this.dir, "project");
    this.home = path.join(this.dir, "home");
    this.state = path.join(this.dir, "state");
    fs.mkdirSync(this.home, { recursive: true });
    this.env = {
      PATH: process.env.PATH, HOME: this.home, LANG: "C.UTF-8", GIT_CONFIG_NOSYSTEM: "1",
      BATON_CONFIG: path.join(this.home, "config.toml"), BATON_STATE_DIR: this.state,
      ...Object.fromEntries(["CONFIG_HOME", "DATA_HOME", "STATE_HOME", "CACHE_HOME", "RUNTIME_DIR"].map((it) => [`XDG_${it}`, path.join(this.home, it.toLowerCase())])),
    };
    for (const [name, text] of Object.entries(FILES)) {
      fs.mkdirSync(path.dirname(path.join(this.root, name)), { recursive: true });
      fs.writeFileSync(path.join(this.root, name), text);
    }
    fs.writeFileSync(this.env.BATON_CONFIG, `[model]\nprovider = "script"\nscript = ${JSON.stringify(path.join(here, script))}\n`);
    for (const args of [["init", "-q", "-b", "main"], ["config", "user.name", "Person"], ["config", "user.email", "person@example.invalid"], ["add", "."], ["commit", "-q", "-m", "start"]]) {
      this.git(...args);
    }
  }
  git(...args) {
    return execFileSync("git", args, { cwd: this.root, env: this.env, encoding: "utf8" });
  }
  read(name) {
    return fs.readFileSync(path.join(this.root, name), "utf8");
  }
  /** Ends the team, which outlives the editor, and clears everything away. */
  end(baton) {
    try {
      console.log(execFileSync(baton, ["daemon", "stop"], { cwd: this.root, env: this.env, encoding: "utf8", timeout: 20_000 }).trim());
    } catch (error) {
      console.log(`the daemon was not stopped: ${error.message}`);
    }
    fs.rmSync(this.dir, { recursive: true, force: true, maxRetries: 5 });
  }
}
