import assert from "node:assert/strict";
import test from "node:test";
import { total } from "../cart.js";

test("a small cart has its full price", () => {
  assert.equal(total([{ cents: 250, count: 2 }]), 500);
});

test("a large cart is cheaper", () => {
  assert.equal(total([{ cents: 6000, count: 1 }]), 5400);
});
