// What a person does besides approving: delegate with a class and a budget, answer, say, comment, send back,
// reject, open the result; and how loud Baton is.
import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import * as vscode from "vscode";
import { Person, test, until, type Asking } from "./rig.js";

interface TaskView {
  class?: string;
  state: string;
  brief: { class?: string; budget?: string; text: string; place?: { path: string } };
  words: { text: string }[];
  decisions: { what: string }[];
  approvals: { state: string; answers: string[] }[];
}

interface Told {
  repository: string;
  task: string;
}

export async function acts(team: Asking, root: vscode.Uri): Promise<void> {
  const file = vscode.Uri.joinPath(root, "src/average.js");
  const read = (name: string): string => fs.readFileSync(path.join(root.fsPath, name), "utf8");
  const column = (name: string, task: string): boolean => team.boards.in(name).some((it) => it.task.id === task);
  const view = (it: Told): Promise<TaskView> => team.ask("baton/task", it);
  const newest = (): Told => {
    const all = ["needsYou", "working", "shipped", "parked", "ended"].flatMap((it) => team.boards.in(it));
    const found = all.sort((a, b) => Number(b.task.id.slice(1)) - Number(a.task.id.slice(1)))[0];
    return { repository: found?.repository ?? "", task: found?.task.id ?? "T0" };
  };
  const delegate = async (text: string): Promise<Told> => {
    const done: Told = await team.ask("baton/delegate", { text });
    await until(`${done.task} is on the board`, () => newest().task === done.task);
    return { repository: done.repository, task: done.task };
  };
  const waits = (it: Told): Promise<boolean> => until(`${it.task} waits`, () => column("needsYou", it.task));
  const asPerson = async (does: (person: Person) => Promise<void>): Promise<void> => {
    const person = new Person();
    try {
      await does(person);
    } finally {
      person.leave();
    }
  };

  await test("delegated with a class and a budget; one that is too high keeps the words", () => asPerson(async (person) => {
    const editor = await vscode.window.showTextDocument(await vscode.workspace.openTextDocument(file));
    editor.selection = new vscode.Selection(3, 0, 6, 1);
    const before = newest().task;
    person.will("Ask me first: what shall none be", "Chore", "Another amount...", "9.00", "The last commit");
    await vscode.commands.executeCommand("baton.delegate");
    assert.ok(person.heard(/budget of \$9\.00 is more .*limits\.task_usd_max/), JSON.stringify(person.told));
    assert.equal(newest().task, before);
    person.told.length = 0;
    person.will("Ask me first: what shall none be", "Chore", "$0.50", "The last commit");
    await vscode.commands.executeCommand("baton.delegate");
    assert.equal(person.told[0]?.value, "Ask me first: what shall none be");
    const it = await until("it is there", () => newest().task !== before && newest());
    const task = await view(it);
    assert.deepEqual([task.brief.class, task.brief.budget, task.class ?? "chore"], ["chore", "$0.50", "chore"]);
    assert.equal(task.brief.place?.path, "src/average.js");
    const page = vscode.Uri.from({ scheme: "baton", path: `/${it.task}`, query: JSON.stringify({ ...it, page: "task" }) });
    assert.match((await vscode.workspace.openTextDocument(page)).getText(), /May use at most\n {2}- \$0\.50\n/);
  }));

  await test("Escape at any step delegates nothing", () => asPerson(async (person) => {
    const before = newest().task;
    person.will(undefined);
    await vscode.commands.executeCommand("baton.delegate");
    person.will("x", undefined);
    await vscode.commands.executeCommand("baton.delegate");
    person.will("x", "Let the team decide", "Another amount...", undefined);
    await vscode.commands.executeCommand("baton.delegate");
    person.will("x", "Let the team decide", "As configured", undefined);
    await vscode.commands.executeCommand("baton.delegate");
    assert.equal(newest().task, before);
  }));

  await test("a question is answered by an option, and what is said is heard", () => asPerson(async (person) => {
    const it = newest();
    await waits(it);
    person.will("zero");
    await vscode.commands.executeCommand("baton.answer", it);
    assert.match(person.told[0]?.text ?? "", /^T\d+ asks: What is the average of none\?/);
    await until("the answer is there", async () => (await view(it)).decisions.some((one) => one.what.includes("zero")));
    // Declined by the Engineer: it is parked, and what is said waits for the next run.
    await until("parked", () => column("parked", it.task));
    person.will("look again");
    await vscode.commands.executeCommand("baton.say", it);
    assert.deepEqual((await view(it)).words.map((one) => one.text), ["look again"]);
    await vscode.commands.executeCommand("baton.cancel", it);
    await until("cancelled", () => column("ended", it.task));
  }));

  await test("comments are kept, at findings too, and go back with the words", () => asPerson(async (person) => {
    const it = await delegate("An empty list crashes average, a third time");
    await waits(it);
    await vscode.commands.executeCommand("baton.review", it);
    const diff: { to: string } = await team.ask("baton/diff", it);
    const side = vscode.Uri.from({ scheme: "baton", path: "/test/average.test.js", query: JSON.stringify({ ...it, side: "to", commit: diff.to }) });
    const controller = vscode.comments.createCommentController("test", "Test");
    const at = (line: number): vscode.CommentThread => controller.createCommentThread(side, new vscode.Range(line, 0, line, 0), []);
    const [first, second, empty] = [at(8), at(0), at(1)];
    await vscode.commands.executeCommand("baton.comment.add", { thread: first, text: "null surprises" });
    await vscode.commands.executeCommand("baton.comment.add", { thread: second, text: "never mind" });
    await vscode.commands.executeCommand("baton.comment.add", { thread: empty, text: "  " });
    assert.deepEqual([first, second, empty].map((one) => one.comments.length), [1, 1, 0]);
    assert.ok(person.heard(/no words/), "a comment without words is refused");
    await vscode.commands.executeCommand("baton.comment.remove", second.comments[0]);
    // Escape sends nothing, and what was written stays.
    person.will(undefined);
    await vscode.commands.executeCommand("baton.sendBack", it);
    assert.equal(first.comments.length, 1);
    person.will("but for one thing");
    await vscode.commands.executeCommand("baton.sendBack", it);
    const said = (await view(it)).decisions.map((one) => one.what).join("\n");
    assert.match(said, /but for one thing/);
    assert.match(said, /test\/average\.test\.js:9[^]*null surprises/);
    assert.doesNotMatch(said, /never mind/);
    assert.equal(first.comments.length, 0, "what was sent is no draft any more");
    controller.dispose();
    await until("at work again", () => column("working", it.task));
    await waits(it);
  }));

  await test("the result is opened in a window of its own", () => asPerson(async (person) => {
    const it = newest();
    await waits(it);
    const opened: [unknown, unknown][] = [];
    const real = vscode.commands.executeCommand.bind(vscode.commands);
    person.stand(vscode.commands, "executeCommand", (name: string, ...args: unknown[]) => {
      if (name === "vscode.openFolder") {
        opened.push([args[0], args[1]]);
        return undefined;
      }
      return real(name, ...args);
    });
    await vscode.commands.executeCommand("baton.openResult", it);
    const [where, how] = opened[0] ?? [];
    assert.ok(where instanceof vscode.Uri);
    assert.deepEqual(how, { forceNewWindow: true });
    assert.match(fs.readFileSync(path.join(where.fsPath, "src/average.js"), "utf8"), /return 0;/);
    assert.ok(!where.fsPath.startsWith(root.fsPath), where.fsPath);
  }));

  await test("rejected with a reason, it ends and nothing landed", () => asPerson(async (person) => {
    const it = newest();
    person.will(undefined);
    await vscode.commands.executeCommand("baton.reject", it);
    assert.ok(column("needsYou", it.task), "Escape rejects nothing");
    person.will("not worth it");
    await vscode.commands.executeCommand("baton.reject", it);
    await until("rejected", () => column("ended", it.task));
    assert.doesNotMatch(read("src/average.js"), /return 0;/);
  }));

  await test("it lands into a file that is open and not saved: both texts are there, and undo takes it out", async () => {
    const it = await delegate("An empty list crashes average, a fourth time");
    await waits(it);
    const document = await vscode.workspace.openTextDocument(file);
    await vscode.window.showTextDocument(document);
    const own = "// Mine, and not saved.\n";
    const edit = new vscode.WorkspaceEdit();
    edit.insert(file, new vscode.Position(0, 0), own);
    assert.ok(await vscode.workspace.applyEdit(edit));
    const mine = document.getText();
    const answers = async (): Promise<string[]> => (await view(it)).approvals.filter((one) => one.state === "open").flatMap((one) => one.answers);
    await vscode.commands.executeCommand("baton.approve", it);
    // The branch can't be moved under text that is not saved: it is asked once more, for edits.
    await until("asked for edits", async () => {
      const now = await answers();
      return now.includes("apply") && !now.includes("approve");
    });
    assert.equal(document.getText(), mine);
    await vscode.commands.executeCommand("baton.approve", it);
    await until("applied", () => column("shipped", it.task));
    await until("the change is in the document", () => document.getText().includes("return null;"));
    assert.ok(document.isDirty && document.getText().startsWith(own), document.getText());
    await vscode.window.showTextDocument(document);
    await vscode.commands.executeCommand("undo");
    await until("undone by key", () => document.getText() === mine);
    await vscode.commands.executeCommand("redo");
    await until("and done again", () => document.getText().includes("return null;"));
    await vscode.commands.executeCommand("baton.undo", it);
    await until("taken back", () => !document.getText().includes("return null;"), 10_000).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${document.getText()}\n---\n${read("src/average.js")}`);
    });
    assert.ok(document.getText().startsWith(own), "my own line is still mine");
    await vscode.commands.executeCommand("workbench.action.files.revert");
    assert.equal(document.getText(), read("src/average.js"));
  });

  await test("no message, one for what is needed, or also one for an end: as the setting says", () => asPerson(async (person) => {
    const config = (level: string): Thenable<void> => vscode.workspace.getConfiguration("baton").update("notifications", level, vscode.ConfigurationTarget.Global);
    const wordsAbout = (it: Told): string[] => person.told.map((one) => one.text).filter((one) => one.startsWith(`${it.task} `));
    const levels: [level: string, needed: number, ended: number][] = [["none", 0, 0], ["needed", 1, 0], ["finished", 1, 1]];
    for (const [level, needed, ended] of levels) {
      await config(level);
      const it = await delegate("Ask me first, please");
      await waits(it);
      // A message that comes would come within the time that those that come together are gathered.
      await new Promise((done) => setTimeout(done, 1500));
      assert.equal(wordsAbout(it).length, needed, `${level}: ${JSON.stringify(person.told)}`);
      await vscode.commands.executeCommand("baton.cancel", it);
      await until("cancelled", () => column("ended", it.task));
      await new Promise((done) => setTimeout(done, 500));
      assert.equal(wordsAbout(it).length, needed + ended, `${level}: ${JSON.stringify(person.told)}`);
    }
    await config("none");
  }));
}
