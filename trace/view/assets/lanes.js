import { binaryAt } from "./data.js";
import { outer, shownAt } from "./level.js";

// A lane is one process of the run. Lanes are grouped by stage, in the order in which the request reaches the stages, and within one
// by birth; nothing here knows who ought to be whose child. Where the kernel side saw no processes the spans name them.

export function makeLanes(trace, level = "calls") {
  const { spans, events } = shownAt(trace, level);
  const shown = new Set(spans);
  const lanes = new Map();
  const of = (proc) => {
    if (!lanes.has(proc)) lanes.set(proc, newLane(proc, trace.processOf.get(proc) ?? null));
    return lanes.get(proc);
  };
  for (const span of spans) of(span.proc).spans.push(span);
  for (const event of events) of(event.proc).events.push(event);
  // A process from before the run that did nothing in it (the shell, its terminal) is in the trace as an ancestor only.
  for (const p of trace.processes) if (p.born >= 0) of(p.proc);
  const all = [...lanes.values()];
  for (const lane of all) finish(lane, trace, shown, level);
  return all.sort((a, b) => rank(trace, a) - rank(trace, b) || a.born - b.born || a.proc.pid - b.proc.pid);
}

function newLane(proc, process) {
  return { is: "lane", proc, process, spans: [], events: [], calls: [], row: new Map(), rows: 0, stage: "", name: "", detail: "", born: 0 };
}

function rank(trace, lane) {
  const i = trace.stages.indexOf(lane.stage);
  return i < 0 ? trace.stages.length : i;
}

// finish gives a lane its stage, its name and its rows.
function finish(lane, trace, shown, level) {
  const { process: p, spans } = lane;
  const first = spans.find((s) => trace.steps.has(s.name));
  lane.stage = p && p.nspid === 1 ? "container" : p && p.stage ? p.stage : first ? trace.steps.get(first.name).stage : "other";
  lane.name = binaryAt(trace, lane.proc, Infinity) || "pid";
  lane.born = p ? p.born : spans.length > 0 ? spans[0].start : 0;
  lane.detail = p ? describe(p) : "";
  if (level === "calls") lane.calls = lane.events.filter((e) => e.call);
  pack(lane, trace, shown);
}

// describe is the word that tells a process from others of the same program: what it was asked to do.
function describe(p) {
  if (p.nspid) return `pid ${p.nspid} inside`;
  if (p.threads || p.born < 0) return "here before";
  const args = p.execs.length > 0 ? p.execs[p.execs.length - 1].args ?? [] : [];
  return args.slice(1).find((a) => /^(start|create|delete|kill|exec|state|run)$/.test(a)) ?? "";
}

// pack gives each span of a lane a row: below its nearest shown ancestor in the same lane, and never over another span.
function pack(lane, trace, shown) {
  const ends = [];
  for (const span of lane.spans) {
    let row = 0;
    const seen = new Set();
    for (let a = outer(trace, span, shown); a && !seen.has(a); a = outer(trace, a, shown)) {
      seen.add(a);
      if (lane.row.has(a.index)) {
        row = lane.row.get(a.index) + 1;
        break;
      }
    }
    while (ends[row] > span.start) row++;
    ends[row] = Math.max(span.end, span.start + 1);
    lane.row.set(span.index, row);
    lane.rows = Math.max(lane.rows, row + 1);
  }
}
