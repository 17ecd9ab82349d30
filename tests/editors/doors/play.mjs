// The story in VS Code, which is killed in the middle: `node play.mjs BATON REPOSITORY HOME`.
import fs from "node:fs";
import path from "node:path";
import { Stage } from "./stage.mjs";

const [baton, root, home] = process.argv.slice(2);
const steps = JSON.parse(fs.readFileSync(path.join(home, "story.json"), "utf8"));
const stage = await Stage.build(baton, root, home);
try {
  await stage.begin("host.cjs");
  const kill = steps.findIndex((it) => it.does === "kill");
  await stage.types("the Engineer works", () => fs.readdirSync(path.join(home, "kept")).length === kill);
  await stage.crash();
  await stage.begin("host.cjs");
  await stage.window.waitStatus(/T1 waits for you/);
  console.log("killed, and back on the right board");
  await stage.plays();
} finally {
  await stage.end();
}
process.exit(stage.exit === 0 ? 0 : 1);
