// What stands in the pictures of the documentation, as text beside them: a picture that no longer shows what is so
// is noticed, and UPDATE=1 makes both anew.
import fs from "node:fs";
import path from "node:path";
import { tree, until } from "./rig.mjs";

const SEEN_MS_MAX = 60_000;
const NAMES = ["code-action", "board", "review", "landed"];

/** Trees by what a screen reader says, editors by their lines, messages, a menu, and the status item. */
function look() {
  const isSeen = (it) => it.checkVisibility() && 0 < it.getBoundingClientRect().height;
  const all = (within, what) => [...within.querySelectorAll(what)].filter(isSeen);
  const top = (it) => it.getBoundingClientRect().top;
  const says = (it) => (it.getAttribute("aria-label") ?? it.textContent).replaceAll("\u00a0", " ").trimEnd();
  const part = (title, lines) => (lines.length === 0 ? [] : [title, ...lines.map((it) => `  ${it}`), ""]);
  const downwards = (list) => list.sort((a, b) => top(a) - top(b));
  const out = [...part("tabs", all(document, ".tab").map(says))];
  for (const pane of all(document, ".part.sidebar .pane")) {
    const rows = downwards(all(pane, ".monaco-list-row")).map(says);
    out.push(...part(says(pane.querySelector(".pane-header")), rows));
  }
  // Of a difference the new side: the old one is beside it.
  const editors = all(document, ".editor-instance .monaco-editor").filter((it) => it.closest(".editor.original") === null);
  for (const editor of downwards(editors)) {
    const lines = downwards(all(editor, ".view-line")).map((it) => it.textContent.replaceAll("\u00a0", " ").trimEnd());
    out.push(...part("editor", lines.filter((it) => it !== "")));
  }
  // Of a menu our entries alone: what others offer comes when it comes.
  out.push(...part("menu", all(document, ".action-widget .monaco-list-row").map(says).filter((it) => /^(Delegate|Ask the team)/.test(it))));
  out.push(...part("message", all(document, ".notification-list-item-message").map(says)));
  out.push(...part("status", all(document, '.statusbar-item[id*="baton.status"]').map((it) => it.textContent.trim())));
  return out.join("\n");
}

function mask(text) {
  const ids = text.replace(/\b(?=[a-f]*\d)[0-9a-f]{7,}\b/g, (it) => "0".repeat(it.length));
  return ids.replace(/\b\d+(\.\d)? (s|min)\b/g, "0.0 s");
}

/** Returns once the window says what is kept; with UPDATE=1, once it stands still, and keeps that. */
export async function told(page, name) {
  if (!NAMES.includes(name)) {
    return;
  }
  const file = path.join(tree, "docs/screens", `vscode-${name}.txt`);
  const now = async () => mask(await page.evaluate(look));
  if (process.env.UPDATE === "1") {
    let before = "";
    fs.writeFileSync(file, await until(`${name} stands still`, async () => {
      const it = await now();
      const same = it === before;
      before = it;
      return same && it;
    }));
    return;
  }
  const kept = fs.readFileSync(file, "utf8");
  let last = "";
  await until(`${name} says what docs/screens/vscode-${name}.txt does`, async () => {
    last = await now();
    return last === kept;
  }, SEEN_MS_MAX).catch((error) => {
    throw new Error(`${error.message}; UPDATE=1 makes it anew\n--- is\n${last}\n--- was\n${kept}`);
  });
}
