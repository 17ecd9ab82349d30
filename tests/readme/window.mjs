// VS Code as the README installs it, in a newcomer's repository: its window shows what the commands did.
// `node window.mjs WORLD REPOSITORY`; the extension is in WORLD/code/ext.
import { Code, Window, browser, until } from "../editors/vscode/rig.mjs";

const [dir, root] = process.argv.slice(2);
const code = await Code.start({ dir, root, env: { ...process.env } });
const opened = await browser();
try {
  const window = await Window.open(code, opened);
  await window.waitStatus(/Baton/);
  await window.command("Baton: Show Board");
  await window.page.waitForSelector('.pane-header[aria-label*="Shipped"]');
  const row = window.page.locator('.monaco-list-row[aria-label^="T1 "][aria-label*="landed"]').first();
  await until("T1 has landed", () => row.isVisible(), 90_000);
  console.log("the board is there");
} catch (error) {
  console.log(code.log());
  throw error;
} finally {
  await opened.close();
  await code.kill();
}
