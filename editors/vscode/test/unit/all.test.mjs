// What has logic of its own, without VS Code: `node build.mjs --tests && npm test`.
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import test from "node:test";
import { Boards, cut, status } from "../../out/unit/board.mjs";
import { place } from "../../out/unit/comments.mjs";
import { Gatherer, pointTo } from "../../out/unit/gather.mjs";
import { chosen, parts } from "../../out/unit/hunks.mjs";
import { NotFound, find, isInRepository } from "../../out/unit/lookup.mjs";
import { Pace } from "../../out/unit/pace.mjs";
import { evidence, seconds, wrap } from "../../out/unit/words.mjs";

const here = new URL("../../", import.meta.url).pathname;

function program(dir, name, says) {
  const file = path.join(dir, name);
  fs.mkdirSync(dir, { recursive: true });
  fs.writeFileSync(file, `#!/bin/sh\n${says}\n`, { mode: 0o755 });
  return file;
}

test("a setting counts before the PATH, and the PATH before what came along", async (t) => {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "baton-lookup-"));
  t.after(() => fs.rmSync(dir, { recursive: true }));
  const named = program(path.join(dir, "named"), "mine", "echo baton 1.2.3");
  const searched = path.join(dir, "bin");
  program(searched, "baton", "echo baton 2.0.0");
  const bundled = path.join(dir, "bundled");
  program(bundled, "baton", "echo baton 3.0.0-rc.1");
  const asked = { setting: named, searched, bundled };
  assert.equal((await find(asked)).version, "1.2.3");
  assert.equal((await find({ ...asked, setting: "" })).version, "2.0.0");
  const alone = await find({ ...asked, setting: "", searched: "" });
  assert.deepEqual([alone.version, alone.because], ["3.0.0-rc.1", "it came with the extension"]);
  // A relative entry of the PATH would be a program of the workspace.
  const relative = path.relative(process.cwd(), searched);
  assert.equal((await find({ ...asked, setting: "", searched: relative })).version, "3.0.0-rc.1");
});

test("a wrong setting is said by its name, and nothing else is taken instead", async (t) => {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "baton-lookup-"));
  t.after(() => fs.rmSync(dir, { recursive: true }));
  program(dir, "baton", "echo baton 2.0.0");
  const other = program(dir, "other", "echo other 1.0.0");
  for (const setting of ["bin/baton", path.join(dir, "none"), other]) {
    await assert.rejects(find({ setting, searched: dir, bundled: dir }), (error) => {
      assert.ok(error instanceof NotFound);
      assert.match(error.message, /baton\.server\.path/);
      return true;
    });
  }
  await assert.rejects(find({ setting: "", searched: "", bundled: path.join(dir, "none") }), /No Baton server was found/);
});

test("a repository is found from a folder inside of it", async (t) => {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "baton-lookup-"));
  t.after(() => fs.rmSync(dir, { recursive: true }));
  fs.mkdirSync(path.join(dir, "a/.git"), { recursive: true });
  fs.mkdirSync(path.join(dir, "a/b/c"), { recursive: true });
  assert.equal(await isInRepository(path.join(dir, "a/b/c")), true);
  assert.equal(await isInRepository(dir), false);
});

const line = (id, column, step = "works") => ({ id, title: `${id}'s title`, column, state: "working", step });
const board = (version, tasks, rest = {}) => ({ repository: "r", version, tasks, more: 0, approvals: [], questions: [], ...rest });

test("an old board changes nothing, a newer one does", () => {
  const boards = new Boards();
  let changes = 0;
  boards.onChange(() => (changes += 1));
  assert.equal(boards.put(board(2, [line("T1", "working")])), true);
  assert.equal(boards.put(board(1, [])), false);
  assert.equal(boards.put(board(2, [])), false);
  assert.deepEqual([boards.in("working").length, changes], [1, 1]);
  boards.put(board(1, [], { repository: "other", more: 420 }));
  assert.equal(boards.more, 420, "what no board lists is counted");
  boards.clear();
  assert.equal(boards.put(board(1, [])), true, "a new server counts anew");
});

test("the status item spins while somebody works and warns only where somebody is needed", () => {
  const boards = new Boards();
  assert.equal(status("ready", boards).warns, false);
  boards.put(board(1, [line("T1", "working", "the Engineer builds $(error)")]));
  const working = status("ready", boards);
  assert.match(working.text, /^\$\(loading~spin\) T1 the Engineer builds \$ \(error\)$/, "an icon of a foreign text is none");
  assert.equal(working.warns, false);
  boards.put(board(2, [line("T1", "working"), line("T2", "needsYou")]));
  const needed = status("ready", boards);
  assert.equal(needed.text, "$(loading~spin) $(bell-dot) T2 waits for you");
  assert.equal(needed.warns, true);
  assert.equal(needed.label, "Baton: T2 waits for you");
  boards.put(board(3, [line("T1", "parked"), line("T2", "shipped")]));
  assert.equal(status("ready", boards).warns, false);
  assert.match(status("untrusted", boards).label, /not trusted/);
});

const attention = (task, id, kind = "approval") => ({ repository: "r", task, id, kind, says: `${task} waits for you: proof` });

test("what comes together is said together, once, and not what was decided meanwhile", async () => {
  const shown = [];
  const decided = new Set(["A3"]);
  await new Promise((done) => {
    const gatherer = new Gatherer((it) => !decided.has(it.id), (it) => (shown.push(it.text), done()), 5);
    for (const it of [attention("T1", "A1"), attention("T1", "A1"), attention("T2", "A2"), attention("T3", "A3")]) {
      gatherer.hear(it);
    }
  });
  assert.deepEqual(shown, ["2 tasks wait for you: T1, T2"]);
  assert.equal(pointTo([]), undefined);
  assert.equal(pointTo([attention("T1", "A1")]).text, "T1 waits for you: proof");
  assert.match(pointTo(["T1", "T2", "T3", "T4", "T5", "T6"].map((it) => attention(it, it))).text, /^6 tasks .*T5, \.\.\.$/);
});

test("places are read where a line is named", () => {
  assert.deepEqual(place("src/lib.rs:5, the default"), { path: "src/lib.rs", line: 5 });
  assert.deepEqual(place("see `a/b-c.d.ts:12`"), { path: "a/b-c.d.ts", line: 12 });
  for (const it of ["", "no place", "at 12:30", "src/lib.rs", "src/lib.rs:0", "https://example.org:80/"]) {
    const found = place(it);
    assert.ok(found === undefined || !found.path.includes("/") , it);
  }
});

const hunk = (id, newStart, text) => ({ id, newStart, text, oldStart: 1, oldLines: 1, newLines: 1 });
const diff = {
  files: [
    { file: { path: "a" }, ids: ["h1", "h2"], hunks: [hunk("h1", 3, " x\n-old\n+new"), hunk("h2", 9, "+more")] },
    { file: { path: "b" }, ids: ["w"], whole: "it is new", hunks: [hunk("w", 1, "+1"), hunk("w", 5, "+2")] },
  ],
};

test("an answer names hunks only where some are left out", () => {
  assert.deepEqual(parts(diff).map((it) => [it.path, it.id, it.line, it.says]), [["a", "h1", 3, "-old"], ["a", "h2", 9, "+more"], ["b", "w", 1, "the whole file: it is new"]]);
  assert.equal(chosen(diff, new Set()), undefined);
  assert.equal(chosen(diff, new Set(["of another change"])), undefined);
  assert.deepEqual(chosen(diff, new Set(["h1"])), [{ path: "a", hunks: ["h2"] }, { path: "b" }]);
  assert.deepEqual(chosen(diff, new Set(["w"])), [{ path: "a" }]);
});

test("the proof is the first line of the evidence", () => {
  const approval = { id: "A1", state: "open", proof: "42 tests pass", receipts: ["R1.1"], why: [], ticks: [], notes: [] };
  const receipt = { id: "R1.1", ran: "check", name: "test", argv: ["cargo", "test"], green: true, exit: "exit 0", durationMs: 100, sandboxed: false, outputBytes: 3, outputSha256: "ab".repeat(32), tests: { passed: 42, failed: 0, ignored: 1, failing: [], named: [] } };
  const task = { id: "T1", title: "t", says: "waits", approvals: [approval], runs: [{ receipts: [receipt] }], handoffs: [], criteria: [] };
  const lines = evidence(task).split("\n");
  assert.equal(lines[0], "42 tests pass");
  const words = lines.join(" ").replace(/ +/g, " ");
  assert.ok(words.includes("green R1.1 test: exit 0, 42 passed, 1 ignored, 0.1 s"), words);
  assert.ok(lines.every((it) => it.length <= 50), "beside another editor it can be read whole");
});

test("what changes all the time is shown again and again, and the last change always", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const at = [];
  let now = 0;
  const pace = new Pace(220, () => at.push(now));
  for (; now < 1000; now += 50) {
    pace.call();
    t.mock.timers.tick(50);
  }
  t.mock.timers.tick(1000);
  assert.deepEqual(at, [0, 200, 450, 700, 950]);
  pace.call();
  pace.call();
  pace.dispose();
  t.mock.timers.tick(1000);
  assert.equal(at.length, 6);
});

test("lines are wrapped between words, cut by characters, and times are short", () => {
  assert.equal(wrap("  one two three", 8), "  one\n    two\n    three");
  assert.equal(wrap("ab\n\ncd", 8), "ab\n\ncd");
  assert.equal(cut("ä\n🦀🦀🦀🦀", 4), "ä 🦀…");
  assert.deepEqual([seconds(40), seconds(9_949), seconds(61_000), seconds(300_000)], ["0.0 s", "9.9 s", "61 s", "5 min"]);
});

test("the bundle is small, holds the client apart, and names every command once", () => {
  const size = ["extension.js", "client.js"].map((it) => fs.statSync(path.join(here, "dist", it)).size);
  assert.ok(size[0] < 60_000, `what activation loads: ${size[0]} bytes`);
  assert.ok(size[0] + size[1] < 500_000, `all of it: ${size[0] + size[1]} bytes`);
  const manifest = JSON.parse(fs.readFileSync(path.join(here, "package.json"), "utf8"));
  const ids = manifest.contributes.commands.map((it) => it.command);
  assert.equal(new Set(ids).size, ids.length);
  const named = JSON.stringify(manifest).match(/(?<=command:|"command":")baton\.[\w.]+/g);
  assert.deepEqual([...new Set(named)].filter((it) => !ids.includes(it)), [], "every menu names a command that there is");
  assert.equal(manifest.contributes.keybindings, undefined, "no key is taken");
  assert.equal(manifest.contributes.walkthroughs[0].steps.length, 4);
});
