import { binaryAt } from "./data.js";

// The process tree at one instant, computed from births, changes of program, changes of parent and deaths as the kernel reported them.
// Nothing here knows who ought to be whose child.

// reaps finds when each dead process was taken notice of: its parent's wait. Until then it is a zombie.
export function reaps(trace) {
  const waits = new Map();
  for (const e of trace.events) {
    if (e.kind !== "wait") continue;
    const pid = Number(e.args.find(([k]) => k === "pid" || k === "child")?.[1]);
    if (pid > 0) waits.set(pid, [...(waits.get(pid) ?? []), e.time]);
  }
  const out = new Map();
  for (const p of trace.processes) {
    const time = p.died < 0 ? undefined : waits.get(p.proc.pid)?.find((t) => t >= p.died);
    if (time !== undefined) out.set(p.proc, time);
  }
  return out;
}

// parentAt is who a process's parent was at a time: {proc, before: who it was until this very moment, or null}.
export function parentAt(process, time) {
  let at = 0;
  while (at + 1 < process.parents.length && process.parents[at + 1].time <= time) at++;
  const parent = process.parents[at];
  if (!parent) return { proc: null, before: null };
  return { proc: parent.proc, before: at > 0 && parent.time === time ? process.parents[at - 1].proc : null };
}

// stateAt is "none" before a process's birth and after its end, "zombie" between its end and its parent's wait, else "runs".
export function stateAt(process, time, reaped) {
  if (process.born > time) return "none";
  if (process.died < 0 || time < process.died) return "runs";
  const until = reaped.get(process.proc);
  return time === process.died || (until !== undefined && time < until) ? "zombie" : "none";
}

// treeAt is the tree as rows, each below its parent: {process, depth, parent: a row or null, before: the row of the parent that it had until
// this moment, or null, state, name, since}. Of the processes from before the run those are shown that take part, or are a parent.
export function treeAt(trace, time, reaped = reaps(trace)) {
  const there = new Map();
  for (const p of trace.processes) {
    const state = stateAt(p, time, reaped);
    if (state !== "none") there.set(p.proc, { process: p, state, ...names(trace, p, time), children: [], parent: null, before: null, depth: 0 });
  }
  const wanted = new Set();
  const acted = actors(trace);
  for (const row of there.values()) {
    if (row.process.born < 0 && !acted.has(row.process.proc)) continue;
    wanted.add(row);
    const up = there.get(parentAt(row.process, time).proc);
    if (up) wanted.add(up);
  }
  const roots = [];
  for (const row of wanted) {
    const { proc, before } = parentAt(row.process, time);
    const up = there.get(proc);
    row.before = before && wanted.has(there.get(before)) ? there.get(before) : null;
    row.moved = before !== null;
    if (up && up !== row && wanted.has(up)) {
      row.parent = up;
      up.children.push(row);
    } else roots.push(row);
  }
  const rows = [];
  const seen = new Set();
  const walk = (list, depth) => {
    for (const row of list.sort((a, b) => a.process.born - b.process.born || a.process.proc.pid - b.process.proc.pid)) {
      if (seen.has(row)) continue; // a circle in hostile data
      seen.add(row);
      row.depth = depth;
      rows.push(row);
      walk(row.children, depth + 1);
    }
  };
  walk(roots, 0);
  return rows;
}

function names(trace, p, time) {
  return { name: binaryAt(trace, p.proc, time) || "pid", pid: p.proc.pid };
}

const acting = new WeakMap();

// actors are the processes that did something in the run.
function actors(trace) {
  if (!acting.has(trace)) acting.set(trace, new Set([...trace.spans, ...trace.events].map((x) => x.proc)));
  return acting.get(trace);
}

// firstProcess is the container's first process, alive at the time, or null: pid 1 of a namespace of its own.
export function firstProcess(rows) {
  return rows.find((r) => r.process.nspid === 1 && r.state === "runs") ?? null;
}
