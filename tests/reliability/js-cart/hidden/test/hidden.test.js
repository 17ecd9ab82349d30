import assert from "node:assert/strict";
import test from "node:test";
import { total } from "../cart.js";

test("hidden: from 5000 on, in whole cents", () => {
  assert.equal(total([{ cents: 5000, count: 1 }]), 4500);
  assert.equal(total([{ cents: 4999, count: 1 }]), 4999);
  assert.equal(total([{ cents: 5001, count: 1 }]), 4501);
  assert.equal(total([{ cents: 5555, count: 1 }]), 5000);
  assert.equal(total([]), 0);
});
