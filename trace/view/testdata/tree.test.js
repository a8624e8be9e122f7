// The process tree at an instant, on the data of the page that TRACE_PAGE names.
import assert from "node:assert/strict";
import { test } from "node:test";
import { parentAt, reaps, stateAt, treeAt } from "../assets/tree.js";
import { tell } from "../assets/tell.js";
import { trace } from "./page.js";

const first = trace.processes.find((p) => p.nspid === 1);
const move = first.parents[1];
const at = (time) => treeAt(trace, time);
const row = (rows, proc) => rows.find((r) => r.process.proc === proc);

test("before the reparenting the container is the runtime's child, from then on the shim's", () => {
  assert.equal(first.parents.length, 2);
  assert.equal(parentAt(first, move.time - 1).proc, first.parents[0].proc);
  assert.equal(row(at(move.time), first.proc).parent.process.proc, move.proc);
  assert.equal(row(at(move.time + 1), first.proc).parent.process.proc, move.proc);
});

test("the very instant of a move remembers the old parent, no other does", () => {
  assert.deepEqual(parentAt(first, move.time), { proc: move.proc, before: first.parents[0].proc });
  assert.equal(parentAt(first, move.time + 1).before, null);
  assert.equal(parentAt(first, move.time - 1).before, null);
});

test("a process is in the tree from its birth to its end, each below its parent, each once", () => {
  const times = trace.events.map((e) => e.time);
  for (const time of times) {
    const rows = at(time);
    assert.equal(new Set(rows).size, rows.length);
    rows.forEach((r, i) => {
      assert.ok(r.process.born <= time, "it is born");
      if (r.parent) assert.ok(rows.indexOf(r.parent) < i && r.depth === r.parent.depth + 1);
      else assert.equal(r.depth, 0);
    });
    for (const p of trace.processes) if (p.born >= 0 && p.born <= time && (p.died < 0 || time < p.died)) assert.ok(row(rows, p.proc), `${p.proc.pid} lives`);
  }
});

test("what has ended is a zombie until its parent's wait", () => {
  const reaped = reaps(trace);
  const [proc, time] = [...reaped][0];
  const p = trace.processOf.get(proc);
  assert.ok(time >= p.died);
  assert.equal(stateAt(p, p.died - 1, reaped), "runs");
  assert.equal(stateAt(p, p.died, reaped), "zombie");
  assert.equal(stateAt(p, time, reaped), time === p.died ? "zombie" : "none");
  assert.equal(stateAt(p, p.born - 1, reaped), "none");
});

test("a circle in the parents ends", () => {
  const a = { is: "process", proc: { pid: 5 }, born: 1, died: -1, execs: [], exe: "/a", comm: "a", nspid: 0, parents: [] };
  const b = { ...a, proc: { pid: 6 }, exe: "/b" };
  a.parents = [{ time: 1, proc: b.proc }];
  b.parents = [{ time: 1, proc: a.proc }];
  const odd = { ...trace, processes: [a, b], spans: [], events: [], processOf: new Map([[a.proc, a], [b.proc, b]]) };
  assert.doesNotThrow(() => treeAt(odd, 2));
});

test("every event can be told in words", () => {
  for (const e of trace.events) assert.match(tell(trace, e), /\S+ \S+/);
  const moved = trace.events.find((e) => e.kind === "reparent" && e.time === move.time);
  assert.match(tell(trace, moved), new RegExp(`${first.proc.pid} is given to \\S+ ${move.proc.pid}: its parent \\S+ ${first.parents[0].proc.pid} has ended`));
});
