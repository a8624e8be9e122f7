// The reader's place in the address, and search.
import assert from "node:assert/strict";
import { test } from "node:test";
import { readPlace, writePlace } from "../assets/place.js";
import { search } from "../assets/search.js";
import { makeLanes } from "../assets/lanes.js";
import { trace } from "./page.js";

test("a place is written as it is read", () => {
  for (const place of [
    { view: "tree", axis: "real", level: "calls", from: -20, to: 48100000, span: "00000000000a0001" }, { event: 17 }, { lane: 3, from: 1, to: 2 }, {},
  ]) assert.deepEqual(readPlace(writePlace(place)), place);
  assert.equal(writePlace({ view: null, from: 1.7, to: 9.2 }), "#from=2&to=9");
});

test("what is no place is left out", () => {
  for (const bad of ["", "#", "#view=<b>", "#from=9&to=3", "#from=1", "#span=zz", "#event=-1", "#event=1e9", "#__proto__=x", "#level", "#=&=&&", "#from=1&to=NaN"]) {
    assert.deepEqual(readPlace(bad), {}, bad);
  }
});

test("search finds steps, events and processes by all of their words", () => {
  const lanes = makeLanes(trace);
  const find = (text) => search(trace, text, lanes);
  assert.equal(find("").count, 0);
  assert.equal(find("  ").count, 0);
  assert.ok(find("pivot_root").list.some((x) => x.is === "span"));
  assert.ok(find("KERNEL.clone").list.every((x) => x.is === "event" || x.is === "span"));
  assert.ok(find("hull-shim process").list.some((x) => x.is === "lane"));
  assert.ok(find("masked_paths /proc/keys").count < find("masked_paths").count);
  assert.equal(find("nothingisnamedso").count, 0);
  assert.ok(find("e").list.length <= 200 && find("e").count > 200);
});
