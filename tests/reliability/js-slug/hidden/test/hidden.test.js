import assert from "node:assert/strict";
import test from "node:test";
import { slug } from "../slug.js";

test("hidden: runs and ends", () => {
  assert.equal(slug("Hello, World!"), "hello-world");
  assert.equal(slug("  a  --  b  "), "a-b");
  assert.equal(slug("!?"), "");
  assert.equal(slug("a"), "a");
  assert.equal(slug("C'est la vie"), "c-est-la-vie");
});
