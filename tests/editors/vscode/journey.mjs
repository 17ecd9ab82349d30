// A person's way in a real window: delegate by code action, watch, review, send back with a comment, approve,
// landed. `node journey.mjs VSIX PICTURES [BATON]` keeps pictures of what was
// seen; with UPDATE=1 those of the documentation are made anew.
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { Desk } from "./desk.mjs";
import { Code, Window, axe, browser, tree, until } from "./rig.mjs";
import { told } from "./words.mjs";

const [vsix, pictures, baton] = process.argv.slice(2);
fs.mkdirSync(pictures, { recursive: true });
const desk = new Desk();
const started = Date.now();
const log = (text) => console.log(`${((Date.now() - started) / 1000).toFixed(1).padStart(6)} s  ${text}`);
const must = (what, it) => {
  if (!it) {
    throw new Error(`not so: ${what}`);
  }
  log(what);
};
const code = await Code.start(desk, { vsix, settings: { "window.autoDetectColorScheme": true, ...(baton === undefined ? {} : { "baton.server.path": baton }) }, trust: true });
log("VS Code is up, the extension installed");
const opened = await browser();
let window;

const picture = async (name) => {
  await told(window.page, name);
  await window.shot(path.join(pictures, `${name}.png`));
};
/** The program that the extension brought, where none was named. */
const theServer = () => {
  const extension = fs.readdirSync(path.join(code.place, "ext")).find((it) => it.startsWith("baton.baton"));
  return baton ?? path.join(code.place, "ext", extension ?? "", "server/baton");
};
/** As the system asks for it; VS Code follows. */
const theme = async (kind, media) => {
  await window.page.emulateMedia(media);
  await until(`the theme is ${kind}`, () => window.page.$(`.monaco-workbench.${kind}`));
};
/** A row of our trees, by what a screen reader says; a message is a row too, elsewhere. */
const row = (text) => window.page.locator(`.part.sidebar .monaco-list-row[aria-label*="${text}"]`).first();
const board = async () => {
  await window.command("Baton: Show Board");
  await window.page.waitForSelector('.pane-header[aria-label*="Needs you"]');
};

/** What VS Code asks about a folder that it doesn't know. */
async function trust() {
  await window.page.click('.monaco-dialog-box .monaco-button:has-text("Yes, I trust")', { timeout: 60_000 });
  await window.page.waitForSelector(".monaco-dialog-box", { state: "detached" });
}

async function trusts() {
  await window.page.waitForSelector('.monaco-dialog-box', { timeout: 60_000 });
  await window.waitStatus(/Restricted Mode.*Baton/);
  must("no server runs in a workspace that is not trusted", !fs.existsSync(desk.state));
  await trust();
  await until("the server has a state folder", () => fs.existsSync(desk.state), 60_000);
  log("trusted, and the server runs");
}

async function delegates() {
  const { page } = window;
  await board();
  await window.file("average.js");
  const select = async () => {
    await window.page.click('.monaco-editor .view-line:has-text("export function average")');
    await page.keyboard.press("Home");
    for (let i = 0; i < 3; i++) {
      await page.keyboard.press("Shift+ArrowDown");
    }
    await page.keyboard.press("Shift+End");
  };
  await until("the code action", async () => {
    await page.keyboard.press("Escape");
    await select();
    await page.keyboard.press("Control+.");
    await page.waitForSelector('.action-widget >> text=Delegate selection', { timeout: 4000 });
    return true;
  });
  await picture("code-action");
  const entry = page.locator(".action-widget >> text=Delegate selection");
  const box = await entry.boundingBox();
  // A block lies over the menu until the mouse moves.
  await page.mouse.move(box.x + 5, box.y + box.height / 2);
  await page.mouse.move(box.x + 9, box.y + box.height / 2);
  await entry.click({ force: true });
  await window.input("An empty list crashes average");
  await window.waitStatus(/T1 /);
  log("delegated by code action; the status item shows it");
  await picture("working");
}

/** From the tree; a click is lost where the tree is drawn anew just then. */
async function opensReview() {
  await until("the review, opened from the tree", async () => {
    await board();
    await row("T1 waits for you").click({ timeout: 4000 });
    await window.page.waitForSelector('.multiDiffEntry .view-line:has-text("failed at")', { timeout: 8000 });
    return true;
  });
}

async function reviews() {
  const { page } = window;
  await window.waitStatus(/T1 waits for you/);
  await page.waitForSelector('.notification-list-item:has-text("T1 waits for you")');
  await row("T1 waits for you").waitFor();
  await picture("board");
  must("one message points to it", (await page.locator(".notification-list-item").count()) === 1);
  await page.click('.notification-list-item .monaco-button:has-text("Review")');
  await page.waitForSelector('.tab[aria-label*="Review T1"]');
  await page.waitForSelector('.multiDiffEntry .view-line:has-text("failed at")');
  log("the review is open, its proof first");
}

/** What is not in view is not there: an editor of many files draws what is seen. */
async function scrollTo(text) {
  const { page } = window;
  const line = page.locator(`.multiDiffEntry .editor.modified .view-line:has-text("${text}")`).first();
  await until(`${text} in view`, async () => {
    await page.mouse.move(1000, 500);
    await page.mouse.wheel(0, 150);
    return line.isVisible();
  });
  return line;
}

/** With the mouse: at a line of the review. */
async function commentsByMouse() {
  const { page } = window;
  const line = await scrollTo("numbers.length === 0");
  await until("an input for the comment", async () => {
    await line.hover({ timeout: 4000 });
    await page.locator(".multiDiffEntry .editor.modified .comment-range-glyph.line-hover").first().click({ timeout: 4000, force: true });
    await page.waitForSelector('.review-widget .comment-form .monaco-editor.focused', { timeout: 4000 });
    return true;
  });
  await page.keyboard.type("null surprises whoever adds it up; zero, please");
  await page.locator('.review-widget .monaco-text-button:has-text("Keep for Send Back"):visible').first().click();
  await page.waitForSelector('.review-widget:has-text("null surprises") >> text=not sent');
  await picture("comment");
}

/** With keys alone: from the board to a file of the change, to a line, and there. */
async function commentsByKeys() {
  const { page } = window;
  await until("the change of the test, opened from the tree", async () => {
    await board();
    await page.keyboard.press("End");
    await page.waitForSelector('.monaco-list-row.focused[aria-label*="files of T1"]', { timeout: 4000 });
    await page.keyboard.press("ArrowRight");
    await row("test/average.test.js, modified").waitFor({ timeout: 4000 });
    await page.keyboard.press("End");
    await page.keyboard.press("Enter");
    await page.waitForSelector('.tab.active[aria-label*="average.test.js"]', { timeout: 8000 });
    return true;
  });
  await until("an input for the comment", async () => {
    await page.keyboard.press("Control+1");
    await page.keyboard.press("Control+Home");
    await window.command("Comments: Add Comment on Current Selection");
    await page.waitForSelector('.review-widget .comment-form .monaco-editor.focused', { timeout: 4000 });
    return true;
  });
  await page.keyboard.type("and say why in a comment");
  await page.keyboard.press("Control+Enter");
  await page.waitForSelector('.review-widget:has-text("say why") >> text=not sent');
  await picture("comment-by-keys");
  log("a comment was written by keys alone");
}

/** In the page: under this key VS Code has written down something for this window that holds this. */
async function isWrittenDown([key, text]) {
  const done = (request) => new Promise((ok, bad) => Object.assign(request, { onsuccess: () => ok(request.result), onerror: bad }));
  for (const { name } of await indexedDB.databases()) {
    const db = await done(indexedDB.open(name));
    const tables = [...db.objectStoreNames];
    const kept = await Promise.all(tables.map((it) => done(db.transaction(it).objectStore(it).get(key))));
    db.close();
    if (kept.some((it) => typeof it === "string" && it.includes(text))) {
      return true;
    }
  }
  return false;
}

/** What was not sent is there after the window was loaded anew, and the review that was open too. */
async function reloads() {
  const { page } = window;
  await opensReview();
  // VS Code writes down what is open when the person turns to something else.
  await page.evaluate(() => {
    document.hasFocus = () => false;
    window.dispatchEvent(new Event("blur"));
  });
  for (const it of [["memento/workbench.parts.editor", "Review T1"], ["baton.baton", "baton.reviews"], ["baton.baton", "say why"]]) {
    await until(`${it} is written down`, () => page.evaluate(isWrittenDown, it));
  }
  await page.reload({ waitUntil: "domcontentloaded" });
  await page.waitForSelector(".monaco-workbench .statusbar", { timeout: 90_000 });
  await window.waitStatus(/T1 waits for you/);
  await page.waitForSelector('.tab.active[aria-label*="Review T1"]');
  await page.waitForSelector('.multiDiffEntry .view-line:has-text("failed at")');
  // So it is a review still: it can be answered from its title.
  await page.waitForSelector('.editor-actions [aria-label^="Approve"], .editor-actions [aria-label^="Baton: Approve"]');
  log("the review that was open is back, with its text");
  await window.command("Comments: Focus on Comments View");
  for (const text of ["null surprises", "say why"]) {
    await page.locator(`.comments-panel .monaco-list-row:has-text("${text}")`).first().waitFor({ timeout: 60_000 });
  }
  await picture("comments-kept");
  await page.keyboard.press("Control+J");
  log("both comments outlived the window");
}

async function sendsBack() {
  const { page } = window;
  await commentsByMouse();
  await commentsByKeys();
  await reloads();
  await window.command("Baton: Send Back...");
  await window.input("Good, but for one thing");
  log("sent back with comments at lines");
  await until("what showed the old change is closed", async () => (await page.locator('.tab[aria-label*="Review T1"], .tab[aria-label*="average.test.js"]').count()) === 0);
  const task = JSON.parse(execFileSync(theServer(), ["task", "T1", "--json"], { cwd: desk.root, env: desk.env, encoding: "utf8" }));
  const said = task.decisions.map((it) => it.what).join("\n");
  must("both comments went along", /src\/average\.js:\d+[^]*null surprises/.test(said) && /test\/average\.test\.js:1\b[^]*say why/.test(said));
  await window.waitStatus(/T1 (?!waits)/);
  await window.waitStatus(/T1 waits for you/);
  log("it waits again, with the second build");
}

async function approves() {
  const { page } = window;
  await opensReview();
  const clear = page.locator(".notifications-toasts .codicon-notifications-clear");
  await until("no message lies over it", async () => {
    if ((await clear.count()) === 0) {
      return true;
    }
    await clear.first().click({ timeout: 2000 });
    return false;
  });
  await picture("review");
  await scrollTo("return 0");
  await picture("review-change");
  await page.locator('.editor-actions [aria-label^="Approve"], .editor-actions [aria-label^="Baton: Approve"]').first().click();
  await until("it landed on the branch", () => /Baton-Task: T1/.test(desk.git("log", "-1", "--format=%B")));
  must("what landed is the second build", /return 0;/.test(desk.read("src/average.js")) && !/null/.test(desk.read("src/average.js")));
  must("it is the person's commit", desk.git("log", "-1", "--format=%an") === "Person\n");
  await board();
  await row("T1 An empty list crashes average, landed").waitFor();
  await window.waitStatus(/^(?!.*waits for you)/);
}

async function looks() {
  const { page } = window;
  await page.click('.tab[data-resource-name="average.js"]');
  await page.waitForSelector('.monaco-editor .view-line:has-text("return 0")');
  await row("T1 An empty list crashes average, landed").click();
  await page.keyboard.press("ArrowRight");
  await row("runs of T1").waitFor();
  await picture("landed");
  await theme("vs", { colorScheme: "light" });
  await picture("landed-light");
  await theme("hc-black", { colorScheme: "dark", forcedColors: "active" });
  await picture("landed-contrast");
  await theme("vs-dark", { colorScheme: "dark", forcedColors: "none" });
}

async function reads() {
  const { page } = window;
  await window.command("Baton: Open Report");
  const frame = await until("the report's frame", async () => {
    for (const it of page.frames()) {
      if (await it.$("main h1").catch(() => undefined)) {
        return it;
      }
    }
    return undefined;
  });
  await picture("report");
  must("the report has no script and loads nothing", (await frame.$$("script, img, link, iframe")).length === 0);
  // Nothing runs in that frame, the judge neither: it reads a copy, styled as it was, without the policy.
  const html = await frame.content();
  must("the report's policy allows nothing but its own style", /default-src 'none'; style-src 'nonce-[0-9a-f]{32}'/.test(html));
  const copy = await opened.newPage();
  await copy.setContent(html.replace(/<meta http-equiv="Content-Security-Policy"[^>]*>/, ""));
  await copy.addScriptTag({ content: axe() });
  const found = await copy.evaluate(() => globalThis.axe.run({ resultTypes: ["violations"] }));
  await copy.close();
  const bad = found.violations.filter((it) => ["serious", "critical"].includes(it.impact));
  must(`axe-core finds nothing serious in the report, of ${found.passes.length} rules that apply`, bad.length === 0 || !console.log(JSON.stringify(bad, null, 1)) && false);
}

async function dies() {
  await window.page.close();
  await code.kill();
  await code.run();
  window = await Window.open(code, opened);
  // Another port is another place to VS Code, which has forgotten whom it trusts.
  await trust();
  await board();
  await row("T1 An empty list crashes average, landed").waitFor();
  log("killed, and back on the right board");
}

let failed = false;
try {
  window = await Window.open(code, opened);
  for (const step of [trusts, delegates, reviews, sendsBack, approves, looks, reads, dies]) {
    await step();
  }
  must("nothing was asked of the world outside", window.outside.size === 0);
} catch (error) {
  failed = true;
  console.log(error.stack);
  await picture("failed").catch(() => undefined);
  console.log(code.log());
} finally {
  await opened.close();
  await code.kill();
  desk.end(theServer());
}
if (!failed && process.env.UPDATE === "1") {
  for (const name of ["code-action", "board", "review", "landed"]) {
    fs.copyFileSync(path.join(pictures, `${name}.png`), path.join(tree, "docs/screens", `vscode-${name}.png`));
  }
}
process.exit(failed ? 1 : 0);
