// Bundles the extension: what activation needs in one file, the language client, which is larger and is
// loaded when a server is started, in another. `node build.mjs --tests` adds the tests.
import { build } from "esbuild";

const common = {
  bundle: true, platform: "node", target: "node20", format: "cjs", external: ["vscode", "./client.js"],
  minify: true, legalComments: "none", logLevel: "warning",
};
await build({ ...common, entryPoints: ["src/extension.ts", "src/client.ts"], outdir: "dist" });
if (process.argv.includes("--tests")) {
  await build({
    ...common, minify: false, sourcemap: "inline", entryPoints: ["test/host/index.ts"], outdir: "out/host",
  });
  await build({
    ...common, minify: false, format: "esm", outExtension: { ".js": ".mjs" },
    entryPoints: ["src/board.ts", "src/lookup.ts", "src/words.ts", "src/gather.ts", "src/comments.ts", "src/hunks.ts", "src/pace.ts"], outdir: "out/unit",
  });
}
