import { binaryAt, visible } from "./data.js";
import { byPid } from "./tell.js";

// Arrows: what one process does to another, each kind drawn in its own way.
//
//   fork      from the parent to the child that it makes
//   reparent  from the orphan to its new parent: the kernel's doing
//   signal    from the sender to the receiver
//   request   from the step that asks to the step that does, in a process that was there before; and its reply back

// CONTRACTS are the protocols of the stages' borders (docs/seams.md): how a stage is asked.
const CONTRACTS = new Map([["daemon", "HTTP"], ["containerd", "gRPC"], ["shim", "ttrpc"]]);

// contract is the protocol of a request to a lane of that stage.
export function contract(stage) {
  return CONTRACTS.get(stage) ?? "request";
}

// requests are the pairs of spans in which one process asks another that was there before.
export function requests(trace, lanes) {
  const out = [];
  for (const lane of lanes) {
    for (const span of lane.spans) {
      const asks = trace.spans[span.parent];
      if (!asks || asks.proc === span.proc) continue;
      const p = lane.process;
      if (p && p.born > asks.start) continue; // it was made for this: that is a fork
      out.push({ asks, does: span, contract: contract(lane.stage) });
    }
  }
  return out;
}

export function placeArrows(shapes, scene, at, x, view) {
  const { trace } = scene;
  const seen = (place) => place >= -2 && place <= view.width + 2;
  for (const p of trace.processes) {
    const child = at.get(p.proc);
    if (!child) continue;
    p.parents.forEach((parent, i) => {
      const other = at.get(parent.proc);
      if (p.born < 0 || (!other && i === 0)) return;
      const place = x(parent.time);
      if (!seen(place)) return;
      const kind = i === 0 ? "fork" : "reparent";
      const [from, to] = kind === "fork" ? [other, child] : [child, other];
      const arrow = { kind, x: place, from: from.strip, to: to ? edge(to, from) : null, label: null, time: parent.time, ends: [p.proc, parent.proc] };
      if (kind === "reparent") arrow.label = reparentLabel(trace, parent, place, shapes.marks, child.strip, view);
      shapes.arrows.push(arrow);
    });
  }
  for (const { place: from, event } of scene.signals(at)) {
    const place = x(event.time);
    const target = byPid(trace, Number(event.args.find(([k]) => k === "target")?.[1]), event.time);
    const to = target && at.get(target.proc);
    if (to && to !== from && seen(place)) shapes.arrows.push({ kind: "signal", x: place, from: from.strip, to: edge(to, from), label: null, time: event.time, ends: [event.proc, target.proc] });
  }
  for (const { asks, does, contract: name } of scene.requests) {
    const [from, to] = [at.get(asks.proc), at.get(does.proc)];
    if (!from || !to) continue;
    for (const [kind, time, a, b] of [["request", does.start, from, to], ["reply", does.end, to, from]]) {
      const place = x(time);
      const span = kind === "request" ? asks : does;
      if (seen(place)) shapes.arrows.push({ kind, x: place, from: middle(a, span), to: edge(b, a), label: null, time, name, ends: [asks.proc, does.proc], spans: [asks, does] });
    }
  }
}

// middle is the height at which a span's row is, or the lane's middle.
function middle(place, span) {
  const row = place.lane.row.get(span.index);
  return row === undefined ? place.y + place.height / 2 : place.rowTop(row) + 8;
}

// edge is where an arrow from another lane meets a lane: its near side.
function edge(to, from) {
  return from.y < to.y ? to.y + 5 : to.y + to.height - 5;
}

function reparentLabel(trace, parent, place, marks, y, view) {
  const text = visible(`now a child of ${binaryAt(trace, parent.proc, parent.time) || "pid"} ${parent.proc.pid}`);
  const w = view.measure(text);
  const left = place + 10;
  const taken = marks.some((m) => m.y === y && m.x > place + 0.5 && m.x < left + w + 8);
  return taken || left + w > view.width ? null : { text, x: left, y, w };
}
