// Makes a vsix: `node package.mjs [--target linux-x64] [--server FILE]`. The server goes inside; without
// `--server` it is built from this tree, in release mode. With `--without-server` the extension is alone.
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const here = path.dirname(fileURLToPath(import.meta.url));
const tree = path.resolve(here, "../..");
const { values } = parseArgs({
  options: { target: { type: "string" }, server: { type: "string" }, out: { type: "string" }, "without-server": { type: "boolean" } },
});

/** As `vsce package --target` names this machine. */
const own = `${process.platform}-${process.arch}`;
const target = values.target ?? own;
const folder = path.join(here, "server");
fs.rmSync(folder, { recursive: true, force: true });

function built() {
  if (target !== own) {
    throw new Error(`${target} is another machine than this one (${own}): name its program with --server`);
  }
  execFileSync("cargo", ["build", "--release", "--locked", "-p", "baton"], { cwd: tree, stdio: "inherit" });
  return path.join(process.env.CARGO_TARGET_DIR ?? path.join(tree, "target"), "release", process.platform === "win32" ? "baton.exe" : "baton");
}

if (!values["without-server"]) {
  const name = target.startsWith("win32") ? "baton.exe" : "baton";
  fs.mkdirSync(folder);
  fs.copyFileSync(values.server ?? built(), path.join(folder, name));
  fs.chmodSync(path.join(folder, name), 0o755);
}
for (const name of ["LICENSE-MIT", "LICENSE-APACHE"]) {
  fs.copyFileSync(path.join(tree, name), path.join(here, `${name}.txt`));
}
const out = path.resolve(values.out ?? path.join(here, `baton-${target}.vsix`));
execFileSync(process.execPath, [path.join(here, "build.mjs")], { cwd: here, stdio: "inherit" });
fs.rmSync(out, { force: true });
const vsce = path.join(here, "node_modules/@vscode/vsce/vsce");
// In a terminal it would ask about the licence, which it looks for under other names than these two.
execFileSync(process.execPath, [vsce, "package", "--no-dependencies", "--skip-license", "--target", target, "--out", out], { cwd: here, stdio: ["ignore", "inherit", "inherit"] });
if (!fs.existsSync(out)) {
  throw new Error(`${out} was not made`);
}
console.log(`code --install-extension ${out}`);
