// Tests inside VS Code's own extension host, with the real server and a scripted model. VS Code calls `run`.
import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import * as vscode from "vscode";
import { acts } from "./acts.js";
import { report, test, until, type Asking } from "./rig.js";

export async function run(): Promise<void> {
  const [folder] = vscode.workspace.workspaceFolders ?? [];
  assert.ok(folder);
  const root = folder.uri;
  const file = vscode.Uri.joinPath(root, "src/average.js");
  const ours = vscode.extensions.getExtension<Asking>("baton.baton");
  assert.ok(ours);
  const { contributes, capabilities, extensionKind } = ours.packageJSON as {
    contributes: {
      commands: { command: string; category: string }[];
      configuration: { properties: Record<string, { scope: string }> };
      menus: Record<string, { command: string }[]>;
      viewsWelcome: { view: string; when: string; contents: string }[];
      walkthroughs: { steps: { id: string; description: string; media: { markdown: string }; completionEvents: string[] }[] }[];
    };
    capabilities: { untrustedWorkspaces: { supported: string }; virtualWorkspaces: { supported: boolean } };
    extensionKind: string[];
  };
  let team: Asking;

  await test("it activates, and the server is the person's, not the workspace's", async () => {
    team = await ours.activate();
    const config = vscode.workspace.getConfiguration("baton").inspect<string>("server.path");
    assert.notEqual(config?.globalValue, undefined);
    assert.equal(vscode.workspace.getConfiguration("baton").get("server.path"), config?.globalValue);
    await until("the server is ready", () => team.running === "ready");
  });

  await test("every command is there, named rightly, and none of the server's is shadowed", async () => {
    const known = await vscode.commands.getCommands(true);
    for (const it of contributes.commands) {
      assert.ok(known.includes(it.command), it.command);
      assert.match(it.command, /^baton\.(?!do\.)/);
      assert.equal(it.category, "Baton");
    }
    for (const it of ["delegate", "answer", "review", "show", "undo"]) {
      assert.ok(known.includes(`baton.do.${it}`), it);
    }
  });

  await test("four steps lead through the start, and every link and menu does something that there is", async () => {
    const known = await vscode.commands.getCommands(true);
    const [start, ...more] = contributes.walkthroughs;
    assert.deepEqual([start?.steps.length, more.length], [4, 0]);
    for (const step of start?.steps ?? []) {
      assert.ok(fs.statSync(path.join(ours.extensionPath, step.media.markdown)).size > 0, step.id);
      const events = step.completionEvents.map((it) => /^onCommand:(.*)/.exec(it)?.[1] ?? "baton.showBoard");
      assert.ok(0 < events.length && events.every((it) => known.includes(it)), step.id);
    }
    const texts = [...(start?.steps ?? []).map((it) => it.description), ...contributes.viewsWelcome.map((it) => it.contents)];
    const linked = texts.flatMap((it) => [...it.matchAll(/\(command:([\w.]+)/g)].map((found) => found[1] ?? ""));
    assert.ok(10 <= linked.length);
    const inMenus = Object.values(contributes.menus).flat().map((it) => it.command);
    for (const it of [...linked, ...inMenus]) {
      assert.ok(known.includes(it), it);
    }
    // An empty board says why it is empty, in each state that there is.
    for (const state of ["ready", "starting", "untrusted", "noRepository", "failed"]) {
      assert.ok(contributes.viewsWelcome.some((it) => it.view === "baton.needsYou" && it.when.includes(`baton.state == ${state}`)), state);
    }
  });

  await test("limited where nothing is trusted; programs are named by the machine alone", () => {
    assert.deepEqual(extensionKind, ["workspace"]);
    assert.equal(capabilities.untrustedWorkspaces.supported, "limited");
    assert.equal(capabilities.virtualWorkspaces.supported, false);
    for (const [name, it] of Object.entries(contributes.configuration.properties)) {
      assert.equal(it.scope, name === "baton.notifications" ? "window" : "machine", name);
    }
  });

  await test("the server offers to delegate what is selected", async () => {
    const document = await vscode.workspace.openTextDocument(file);
    await vscode.window.showTextDocument(document);
    const found = await until("a code action", async () => {
      const all = await vscode.commands.executeCommand<vscode.CodeAction[]>("vscode.executeCodeActionProvider", file, new vscode.Range(3, 0, 6, 0));
      return all.find((it) => it.title === "Delegate selection");
    });
    assert.equal(found.command?.command, "baton.do.delegate");
    assert.equal(found.kind?.value, "baton.delegate");
  });

  const target = { repository: "", task: "" };

  await test("a task is delegated, worked on, and waits", async () => {
    const range = { start: { line: 3, character: 0 }, end: { line: 6, character: 1 } };
    const params = { text: "An empty list crashes average", textDocument: { uri: file.toString() }, range };
    const done: { repository: string; task: string } = await team.ask("baton/delegate", params);
    Object.assign(target, done);
    await until("at work", () => team.boards.in("working").some((it) => it.task.id === done.task));
    await until("it waits", () => team.boards.in("needsYou").some((it) => it.task.id === done.task));
  });

  await test("a lens shows it where it came from", async () => {
    const lens = await until("a lens", async () => {
      const all = await vscode.commands.executeCommand<vscode.CodeLens[]>("vscode.executeCodeLensProvider", file, 10);
      return all.find((it) => it.command?.title.startsWith(`${target.task} approve`) === true);
    });
    assert.equal(lens.command?.command, "baton.do.answer");
  });

  await test("a review opens with the evidence, the proof first, and decides nothing by being closed", async () => {
    await vscode.commands.executeCommand("baton.review", target);
    const tab = await until("the review", () => vscode.window.tabGroups.activeTabGroup.activeTab?.label.startsWith(`Review ${target.task}`) === true && vscode.window.tabGroups.activeTabGroup.activeTab);
    const uri = vscode.Uri.from({ scheme: "baton", path: `/${target.task} evidence`, query: JSON.stringify({ ...target, page: "evidence" }) });
    const page = await vscode.workspace.openTextDocument(uri);
    assert.match(page.lineAt(0).text, /^the average of none: failed at \w+/, page.getText());
    assert.match(page.getText(), /Receipts that count\ngreen/);
    await vscode.window.tabGroups.close(tab);
    assert.equal(team.boards.in("needsYou")[0]?.task.state, "awaitingApproval");
  });

  await test("both sides of a change are documents, and a made-up one says that it is none", async () => {
    await vscode.commands.executeCommand("baton.openChange", target, "src/average.js");
    const tab = await until("a diff", () => {
      const input = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
      return input instanceof vscode.TabInputTextDiff && input;
    });
    const [from, to] = await Promise.all([tab.original, tab.modified].map((it) => vscode.workspace.openTextDocument(it)));
    assert.equal(from?.getText(), fs.readFileSync(file.fsPath, "utf8"));
    assert.match(to?.getText() ?? "", /return null;/);
    assert.equal(to?.languageId, "javascript");
    const none = await vscode.workspace.openTextDocument(vscode.Uri.parse("baton:/x?nonsense"));
    assert.match(none.getText(), /no document of Baton's/);
  });

  const toggled = async (path: string): Promise<{ lens: vscode.CodeLens; uri: vscode.Uri }> => {
    const diff: { to: string } = await team.ask("baton/diff", target);
    const uri = vscode.Uri.from({ scheme: "baton", path: `/${path}`, query: JSON.stringify({ ...target, side: "to", commit: diff.to }) });
    await vscode.workspace.openTextDocument(uri);
    const lens = await until(`a lens on a hunk of ${path}`, async () => (await vscode.commands.executeCommand<vscode.CodeLens[]>("vscode.executeCodeLensProvider", uri, 10))[0]);
    return { lens, uri };
  };

  await test("a hunk is left out and taken again by its lens", async () => {
    await vscode.commands.executeCommand("baton.review", target);
    const { lens, uri } = await toggled("src/average.js");
    assert.match(lens.command?.title ?? "", /Taken/);
    for (const says of [/Left out/, /Taken/]) {
      await vscode.commands.executeCommand(lens.command?.command ?? "", ...((lens.command?.arguments ?? []) as unknown[]));
      const [again] = await vscode.commands.executeCommand<vscode.CodeLens[]>("vscode.executeCodeLensProvider", uri, 10);
      assert.match(again?.command?.title ?? "", says);
    }
  });

  await test("approved by command, it lands, and the open document shows it", async () => {
    await vscode.commands.executeCommand("baton.approve", target);
    await until("landed", () => team.boards.in("shipped").some((it) => it.task.id === target.task));
    assert.match(fs.readFileSync(path.join(root.fsPath, "src/average.js"), "utf8"), /return null;/);
    const document = await vscode.workspace.openTextDocument(file);
    await until("the document shows it", () => document.getText().includes("return null;"));
  });

  await test("undone by command, it is as it was", async () => {
    await vscode.commands.executeCommand("baton.undo", target);
    await until("undone", () => !fs.readFileSync(path.join(root.fsPath, "src/average.js"), "utf8").includes("return null;"));
    const document = await vscode.workspace.openTextDocument(file);
    await until("the document shows it", () => !document.getText().includes("return null;"));
  });

  await acts(team!, root);

  await test("some hunks are approved, and the others do not land", async () => {
    Object.assign(target, await team.ask("baton/delegate", { text: "An empty list crashes average, once more" }));
    await until("it waits", () => team.boards.in("needsYou").some((it) => it.task.id === target.task));
    await vscode.commands.executeCommand("baton.review", target);
    const { lens } = await toggled("test/average.test.js");
    await vscode.commands.executeCommand(lens.command?.command ?? "", ...((lens.command?.arguments ?? []) as unknown[]));
    const approved = vscode.commands.executeCommand("baton.approve", target);
    await until("landed", async () => {
      await vscode.commands.executeCommand("workbench.action.acceptSelectedQuickOpenItem");
      return team.boards.in("shipped").some((it) => it.task.id === target.task);
    });
    await approved;
    assert.match(fs.readFileSync(path.join(root.fsPath, "src/average.js"), "utf8"), /return null;/);
    assert.doesNotMatch(fs.readFileSync(path.join(root.fsPath, "test/average.test.js"), "utf8"), /average of none/);
  });

  await test("the person's time with a review was told, and the report has it", async () => {
    await vscode.commands.executeCommand("workbench.action.closeAllEditors");
    const report = await until("a measured task", async () => {
      const it: { tasks: { task: string; personMs?: number | null }[] } = await team.ask("baton/report", { repository: target.repository });
      return it.tasks.some((one) => one.task === target.task && typeof one.personMs === "number") && it;
    });
    assert.ok(report.tasks.some((one) => one.task === "T1"));
    await vscode.commands.executeCommand("baton.openReport");
    await until("the report's tab", () => vscode.window.tabGroups.activeTabGroup.activeTab?.label === "Baton Report");
  });

  await test("the server can be restarted, and the board comes back", async () => {
    await vscode.commands.executeCommand("baton.restartServer");
    await until("the board is back", () => team.running === "ready" && team.boards.in("ended").concat(team.boards.in("shipped")).some((it) => it.task.id === target.task));
  });

  await test("a wrong server is not started, and what to do is said", async () => {
    const config = vscode.workspace.getConfiguration("baton");
    const right = config.get<string>("server.path");
    await config.update("server.path", "/nowhere/baton", vscode.ConfigurationTarget.Global);
    await until("it failed", () => team.running === "failed");
    await config.update("server.path", right, vscode.ConfigurationTarget.Global);
    await until("it runs again", () => team.running === "ready");
  });

  if (report() !== 0) {
    throw new Error("some failed");
  }
}
