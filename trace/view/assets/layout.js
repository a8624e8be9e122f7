import { binaryAt, stepName, visible } from "./data.js";
import { clamp } from "./time.js";

// Layout: from what is shown to where it stands, in pixels, as plain data. It is a pure function: no page, no canvas, no clock; so a
// test can hold it to its rules (no label over another, nothing outside its lane) without a browser.
//
// scene {trace, lanes, axis};  view {width, from, to: the visible part of the axis, measure: the width of a text}.

export const ROW = 19; // height of a row of spans
export const BAR = 16; // of which the bar takes
export const STRIP = 17; // height of the strip of kernel events
const PAD = 5; // above and below a lane's content
const LEAST = 42; // a lane holds two lines of text
const GROUP = 7; // between two stages

export function layout(scene, view) {
  const shapes = { height: 0, lanes: [], bars: [], marks: [], arrows: [], gaps: [] };
  const x = (time) => ((scene.axis.place(time) - view.from) / (view.to - view.from)) * view.width;
  const at = new Map();
  let y = 4;
  let stage = null;
  for (const lane of scene.lanes) {
    if (stage !== null && lane.stage !== stage) y += GROUP;
    const content = lane.rows * ROW + (lane.events.length > 0 ? STRIP : 0);
    const height = Math.max(content, LEAST - 2 * PAD) + 2 * PAD;
    const place = { lane, y, height, strip: y + height - PAD - STRIP / 2, first: lane.stage !== stage, ...life(lane, scene.trace, x, view) };
    shapes.lanes.push(place);
    at.set(lane.proc, place);
    placeBars(shapes.bars, lane, y + PAD, x, view);
    if (lane.events.length > 0) placeMarks(shapes.marks, lane, place.strip, x, view);
    stage = lane.stage;
    y += height;
  }
  shapes.height = y + 4;
  placeArrows(shapes, scene.trace, at, x, view);
  for (const gap of scene.axis.gaps) {
    const [left, right] = [x(gap.from), x(gap.to)];
    if (right > 0 && left < view.width) shapes.gaps.push({ x: left, w: right - left, ...gap });
  }
  return shapes;
}

// life is the part of the time in which a lane's process exists.
function life(lane, trace, x, view) {
  const p = lane.process;
  const born = p && p.born >= 0 ? x(p.born) : -1;
  const died = p && p.died >= 0 ? x(p.died) : view.width + 1;
  const execs = p ? p.execs.map((e) => x(e.time)) : [];
  return { born, died, execs };
}

// placeBars gives each visible span its rectangle, and its label a place that nothing else takes: in the bar, or in the free room to
// its right, or none.
function placeBars(bars, lane, top, x, view) {
  const rows = Array.from({ length: lane.rows }, () => []);
  for (const span of lane.spans) {
    const left = x(span.start);
    const w = Math.max(x(span.end) - left, 3);
    const row = rows[lane.row.get(span.index)];
    if (left + w < 0 || left > view.width) {
      if (left > view.width && row.next === undefined) row.next = left;
      continue;
    }
    const last = row[row.length - 1];
    if (last && last.merged !== undefined && w <= 3 && left < last.x + 0.5 && span.proof !== "unproved") {
      last.merged++; // not to be told apart at this zoom
      continue;
    }
    const bar = { x: left, y: top + lane.row.get(span.index) * ROW, w, h: BAR, span, label: null };
    if (w <= 3) bar.merged = 0;
    row.push(bar);
    bars.push(bar);
  }
  for (const row of rows) {
    row.forEach((bar, i) => {
      const limit = Math.min(row[i + 1] ? row[i + 1].x : row.next ?? Infinity, view.width);
      bar.label = placeLabel(bar, limit, view);
    });
  }
}

function placeLabel(bar, limit, view) {
  const left = Math.max(bar.x, 0) + 6;
  const inside = Math.min(bar.x + bar.w, view.width) - 5 - left;
  const outside = limit - 8 - (bar.x + bar.w + 5);
  const names = shorter(bar.span).map(visible);
  for (const text of names) if (view.measure(text) <= inside) return { text, x: left, w: view.measure(text), inside: true };
  for (const text of names) {
    const w = view.measure(text);
    if (w <= outside) return { text, x: bar.x + bar.w + 5, w, inside: false };
  }
  const text = cut(names[names.length - 1], inside, view.measure);
  return text ? { text, x: left, w: view.measure(text), inside: true } : null;
}

// shorter is a span's name, then what is left when the words go that the lane says already: runc.init.mounts /proc, init.mounts /proc,
// mounts /proc.
function shorter(span) {
  const words = span.name.split(".");
  return words.slice(0, 4).map((_, i) => stepName({ name: words.slice(i).join("."), instance: span.instance }));
}

// cut shortens a text to a width; below four characters it says nothing.
function cut(text, width, measure) {
  if (width < 34) return "";
  let n = Math.min(text.length, Math.floor(width / (measure("n") || 6)) + 2);
  while (n > 3 && measure(`${text.slice(0, n)}…`) > width) n--;
  return n > 3 ? `${text.slice(0, n)}…` : "";
}

// The kinds that tell the story are drawn with a glyph wherever they are; the others become ticks where they would crowd.
const STORY = new Set(["clone", "exec", "exit", "reparent", "pivot_root", "unshare", "setns", "capset", "seccomp"]);

function placeMarks(marks, lane, y, x, view) {
  const near = 9;
  let free = -Infinity; // up to here a glyph stands
  const story = lane.events.filter((e) => STORY.has(e.kind)).map((e) => x(e.time));
  let s = 0;
  for (const event of lane.events) {
    const place = x(event.time);
    if (place < -near || place > view.width + near) continue;
    while (s < story.length && story[s] < place) s++;
    const important = STORY.has(event.kind);
    const crowded = place - free < near || (!important && s < story.length && story[s] - place < near);
    const small = crowded && !(important && event.kind === "reparent");
    marks.push({ x: place, y, event, small });
    if (!small) free = place;
  }
}

// placeArrows draws who made whom, and who was given to whom.
function placeArrows(shapes, trace, at, x, view) {
  for (const p of trace.processes) {
    const child = at.get(p.proc);
    p.parents.forEach((parent, i) => {
      const other = at.get(parent.proc);
      if (p.born < 0 || (!other && i === 0)) return;
      const place = x(parent.time);
      if (place < -2 || place > view.width + 2) return;
      const kind = i === 0 ? "fork" : "reparent";
      const from = kind === "fork" ? other : child;
      const to = kind === "fork" ? child : other;
      const arrow = { kind, x: place, from: from.strip, to: to ? edge(to, from) : null, process: p, label: null };
      if (kind === "reparent") arrow.label = reparentLabel(trace, p, parent, place, shapes.marks, child.strip, view);
      shapes.arrows.push(arrow);
    });
  }
}

// edge is where an arrow from another lane meets a lane: its near side.
function edge(to, from) {
  return from.y < to.y ? to.y + 5 : to.y + to.height - 5;
}

function reparentLabel(trace, process, parent, place, marks, y, view) {
  const text = visible(`now a child of ${binaryAt(trace, parent.proc, parent.time) || "pid"} ${parent.proc.pid}`);
  const w = view.measure(text);
  const left = place + 10;
  const taken = marks.some((m) => m.y === y && m.x > place + 0.5 && m.x < left + w + 8);
  return taken || left + w > view.width ? null : { text, x: left, y, w };
}

// hit finds what is drawn at a point: a kernel event before a span, the later before the earlier.
export function hit(shapes, px, py) {
  let best = null;
  for (const m of shapes.marks) {
    const distance = Math.abs(m.x - px);
    if (Math.abs(m.y - py) <= STRIP / 2 && distance <= 6 && (!best || distance < best.distance)) best = { distance, what: m.event };
  }
  if (best) return best.what;
  for (let i = shapes.bars.length - 1; i >= 0; i--) {
    const b = shapes.bars[i];
    if (px >= b.x - 2 && px <= b.x + b.w + 2 && py >= b.y && py <= b.y + b.h) return b.span;
  }
  return null;
}

// reveal is the part of the axis that shows from..to with some room around it, no narrower than least.
export function reveal(axis, from, to, least) {
  const [left, right] = [axis.place(from), axis.place(to)];
  const width = clamp((right - left) * 1.6, least, 1.04);
  const middle = (left + right) / 2;
  return { from: middle - width / 2, to: middle + width / 2 };
}
