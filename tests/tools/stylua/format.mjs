// Formats Lua as editors/nvim/stylua.toml says: `node format.mjs LIBRARY CONFIG check|write FILE...`.
// LIBRARY is the installed package; its own command line is a native program that we don't fetch.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";

const [library, settings, mode, ...files] = process.argv.slice(2);
const stylua = createRequire(import.meta.url)(library);
const words = Object.fromEntries(
  [...readFileSync(settings, "utf8").matchAll(/^(\w+) = "?(\w+)"?$/gm)].map((it) => [it[1], it[2]]),
);

// One for each file: formatting takes it away.
function config() {
  const it = stylua.Config.new();
  it.column_width = Number(words.column_width);
  it.indent_width = Number(words.indent_width);
  it.indent_type = stylua.IndentType[words.indent_type];
  it.quote_style = stylua.QuoteStyle[words.quote_style];
  it.collapse_simple_statement = stylua.CollapseSimpleStatement[words.collapse_simple_statement];
  return it;
}

let stale = 0;
for (const file of files) {
  const text = readFileSync(file, "utf8");
  const formatted = stylua.formatCode(text, config(), undefined, stylua.OutputVerification.Full);
  if (formatted === text) continue;
  if (mode === "write") writeFileSync(file, formatted);
  else {
    stale += 1;
    console.error(`${file} is not formatted`);
  }
}
process.exit(stale > 0 ? 1 : 0);
