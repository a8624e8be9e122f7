import { binaryAt } from "./data.js";

// A lane is one process of the run. Lanes are grouped by stage, in the order in which the request reaches the stages, and within one
// by birth; nothing here knows who ought to be whose child. Where the kernel side saw no processes the spans name them.

export function makeLanes(trace) {
  const lanes = new Map();
  for (const p of trace.processes) lanes.set(p.proc, newLane(p.proc, p));
  const order = [...trace.spans].sort((a, b) => a.start - b.start || b.end - a.end || a.index - b.index);
  for (const span of order) {
    if (!lanes.has(span.proc)) lanes.set(span.proc, newLane(span.proc, null));
    lanes.get(span.proc).spans.push(span);
  }
  for (const event of trace.events) {
    if (!lanes.has(event.proc)) lanes.set(event.proc, newLane(event.proc, null));
    lanes.get(event.proc).events.push(event);
  }
  for (const lane of lanes.values()) finish(lane, trace);
  return [...lanes.values()].sort((a, b) => rank(trace, a) - rank(trace, b) || a.born - b.born || a.proc.pid - b.proc.pid);
}

function newLane(proc, process) {
  return { is: "lane", proc, process, spans: [], events: [], row: new Map(), rows: 0, stage: "", name: "", detail: "", born: 0 };
}

function rank(trace, lane) {
  const i = trace.stages.indexOf(lane.stage);
  return i < 0 ? trace.stages.length : i;
}

// finish gives a lane its stage, its name and its rows.
function finish(lane, trace) {
  const { process: p, spans } = lane;
  const first = spans.find((s) => trace.steps.has(s.name));
  lane.stage = p && p.nspid === 1 ? "container" : p && p.stage ? p.stage : first ? trace.steps.get(first.name).stage : "other";
  lane.name = binaryAt(trace, lane.proc, Infinity) || "pid";
  lane.born = p ? p.born : spans.length > 0 ? spans[0].start : 0;
  lane.detail = p ? describe(p) : "";
  pack(lane, trace);
}

// describe is the word that tells a process from others of the same program: what it was asked to do.
function describe(p) {
  if (p.nspid) return `pid ${p.nspid} inside`;
  if (p.threads || p.born < 0) return "here before";
  const args = p.execs.length > 0 ? p.execs[p.execs.length - 1].args ?? [] : [];
  return args.slice(1).find((a) => /^(start|create|delete|kill|exec|state|run)$/.test(a)) ?? "";
}

// pack gives each span of a lane a row: below its nearest ancestor in the same lane, and never over another span.
function pack(lane, trace) {
  const ends = [];
  for (const span of lane.spans) {
    let row = 0;
    const seen = new Set();
    for (let a = span.parent; a >= 0 && !seen.has(a); a = trace.spans[a].parent) {
      seen.add(a);
      if (lane.row.has(a)) {
        row = lane.row.get(a) + 1;
        break;
      }
    }
    while (ends[row] > span.start) row++;
    ends[row] = Math.max(span.end, span.start + 1);
    lane.row.set(span.index, row);
    lane.rows = Math.max(lane.rows, row + 1);
  }
}
