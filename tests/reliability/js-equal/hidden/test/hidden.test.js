import assert from "node:assert/strict";
import test from "node:test";
import { equal } from "../equal.js";

test("hidden: sizes, null and kinds", () => {
  assert.ok(!equal([1], [1, 2]));
  assert.ok(!equal({}, { a: 1 }));
  assert.ok(!equal({ a: undefined, b: 1 }, { b: 1, c: 2 }));
  assert.ok(!equal(null, {}));
  assert.ok(!equal({}, null));
  assert.ok(equal(null, null));
  assert.ok(equal({ a: null }, { a: null }));
  assert.ok(equal({ b: [{}] }, { b: [{}] }));
});
