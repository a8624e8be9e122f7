import { clamp } from "./time.js";
import { callBars, spanBars } from "./bars.js";
import { placeMarks } from "./marks.js";
import { placeArrows, requests } from "./arrows.js";
import { axis } from "./time.js";
import { makeLanes } from "./lanes.js";

// Layout: from what is shown to where it stands, in pixels, as plain data. It is a pure function: no page, no canvas, no clock; so a
// test can hold it to its rules (no label over another, nothing outside its lane, not too many things) without a browser.

export const ROW = 19; // height of a row of spans
export const BAR = 16; // of which the bar takes
export const STRIP = 17; // height of the strip of kernel events
const PAD = 5; // above and below a lane's content
const LEAST = 42; // a lane holds two lines of text
const GROUP = 7; // between two stages

// makeScene is what is shown, whatever part of it is seen: lanes with their heights, the axis, who asks whom.
export function makeScene(trace, level, kind) {
  const lanes = makeLanes(trace, level);
  const scene = { trace, level, lanes, axis: axis(kind, trace), places: [], height: 0, requests: requests(trace, lanes), signals: null };
  let y = 4;
  let stage = null;
  for (const lane of lanes) {
    if (stage !== null && lane.stage !== stage) y += GROUP;
    const calls = lane.calls.length > 0 ? ROW : 0;
    const content = lane.rows * ROW + (lane.events.length > 0 ? STRIP : 0) + calls;
    const height = Math.max(content, LEAST - 2 * PAD) + 2 * PAD;
    const top = y + PAD;
    const strip = y + height - PAD - STRIP / 2;
    scene.places.push({ lane, y, height, strip, calls: strip - STRIP / 2 - ROW + 1, rowTop: (row) => top + row * ROW, first: lane.stage !== stage });
    stage = lane.stage;
    y += height;
  }
  scene.height = y + 4;
  const signals = lanes.flatMap((lane) => lane.events.filter((e) => e.kind === "signal"));
  scene.signals = (at) => signals.map((event) => ({ event, place: at.get(event.proc) }));
  return scene;
}

// layout is everything that is to be drawn in view {width, from, to: the part of the axis; top, bottom: the part of the height; measure: the
// width of a text}. Lanes above and below are left out.
export function layout(scene, view) {
  const { top = 0, bottom = Infinity } = view;
  const shapes = { height: scene.height, lanes: [], bars: [], marks: [], arrows: [], gaps: [] };
  const x = (time) => ((scene.axis.place(time) - view.from) / (view.to - view.from)) * view.width;
  const at = new Map(scene.places.map((place) => [place.lane.proc, place]));
  for (const place of scene.places) {
    if (place.y + place.height < top || place.y > bottom) continue;
    const { lane } = place;
    shapes.lanes.push({ ...place, ...life(lane, x, view) });
    spanBars(shapes.bars, lane, place.rowTop, BAR, x, view);
    if (lane.calls.length > 0) callBars(shapes.bars, lane, place.calls, BAR - 2, x, view);
    if (lane.events.length > 0) placeMarks(shapes.marks, lane, place.strip, x, view);
  }
  placeArrows(shapes, scene, at, x, view);
  shapes.arrows = thin(shapes.arrows.filter((a) => Math.max(a.from, a.to ?? a.from) >= top && Math.min(a.from, a.to ?? a.from) <= bottom));
  if (shapes.arrows.length > CROWD) shapes.arrows = stubs(shapes.arrows, top, bottom);
  for (const gap of scene.axis.gaps) {
    const [left, right] = [x(gap.from), x(gap.to)];
    if (right > 0 && left < view.width) shapes.gaps.push({ x: left, w: right - left, ...gap });
  }
  return shapes;
}

// stubs cuts arrows that lead out of sight to their beginning or end, where there are too many to follow one: a wall of lines shows nothing.
const CROWD = 80;
const STUB = 14;

function stubs(arrows, top, bottom) {
  const inside = (y) => y >= top && y <= bottom;
  return arrows.flatMap((a) => {
    if (a.to === null || a.kind === "reparent" || (inside(a.from) && inside(a.to))) return [a];
    const down = a.to > a.from ? 1 : -1;
    if (inside(a.from)) return [{ ...a, to: a.from + STUB * down, headless: true }];
    return inside(a.to) ? [{ ...a, from: a.to - STUB * down }] : [];
  });
}

// thin leaves one of the arrows of a kind that lie on the same pixels.
function thin(arrows) {
  const taken = new Set();
  return arrows.filter((a) => {
    const key = `${a.kind} ${Math.round(a.x)} ${a.from} ${a.to}`;
    if (a.kind !== "reparent" && taken.has(key)) return false;
    taken.add(key);
    return true;
  });
}

// life is the part of the time in which a lane's process exists.
function life(lane, x, view) {
  const p = lane.process;
  const born = p && p.born >= 0 ? x(p.born) : -1;
  const died = p && p.died >= 0 ? x(p.died) : view.width + 1;
  return { born, died };
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
    if (px >= b.x - 2 && px <= b.x + b.w + 2 && py >= b.y && py <= b.y + b.h) return b.what;
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
