import assert from "node:assert/strict";
import test from "node:test";
import { equal } from "../equal.js";

test("equal values are equal", () => {
  assert.ok(equal({ a: [1, 2] }, { a: [1, 2] }));
});

test("another value is seen", () => {
  assert.ok(!equal({ a: 1 }, { a: 2 }));
});
