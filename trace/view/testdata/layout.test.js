// Levels, lanes, axes and the layout: node --test, started by TestProgram, on the data of the page that TRACE_PAGE names.
import assert from "node:assert/strict";
import { test } from "node:test";
import { visible } from "../assets/data.js";
import { AXES, axis, formatDuration, formatTime, roundStep, ticks } from "../assets/time.js";
import { makeLanes } from "../assets/lanes.js";
import { LEVELS, levelOf, shownAt } from "../assets/level.js";
import { hit, layout, makeScene } from "../assets/layout.js";
import { trace } from "./page.js";

const lanes = makeLanes(trace);
const measure = (text) => text.length * 7;

test("a lane per process, grouped by stage in the catalogue's order", () => {
  const acted = new Set([...trace.spans, ...trace.events].map((x) => x.proc));
  assert.equal(lanes.length, trace.processes.filter((p) => p.born >= 0 || acted.has(p.proc)).length, "all but ancestors that only watch");
  const ranks = lanes.map((l) => trace.stages.indexOf(l.stage));
  assert.deepEqual(ranks, [...ranks].sort((a, b) => a - b));
  assert.equal(lanes.at(-1).stage, "container");
  assert.equal(lanes.flatMap((l) => l.spans).length, trace.spans.length);
});

test("each level shows more than the one before, and none hides what is not proved or failed", () => {
  const shown = LEVELS.map((l) => shownAt(trace, l));
  assert.ok(shown[0].spans.length < 45, `a story of ${shown[0].spans.length} steps is none`);
  assert.ok(shown[0].spans.length < shown[1].spans.length && shown[1].spans.length === trace.spans.length);
  assert.ok(shown[0].events.length < shown[1].events.length && shown[1].events.length < shown[2].events.length);
  assert.equal(shown[2].events.length, trace.events.length);
  for (const { spans } of shown) for (const s of trace.spans) if (s.proof === "unproved" || s.error) assert.ok(spans.includes(s), s.name);
  for (const what of [...trace.spans, ...trace.events]) {
    const level = levelOf(trace, what);
    assert.ok([...shown[level].spans, ...shown[level].events].includes(what));
    if (level > 0) assert.ok(![...shown[level - 1].spans, ...shown[level - 1].events].includes(what));
  }
});

test("spans of one row never overlap, and lie below what they happen inside of", () => {
  for (const lane of LEVELS.flatMap((l) => makeLanes(trace, l))) {
    const rows = new Map();
    for (const span of lane.spans) {
      const row = lane.row.get(span.index);
      assert.ok((rows.get(row) ?? -1) <= span.start, `${span.name} over another in row ${row}`);
      rows.set(row, span.end);
      // The kernel's own rows may begin before the step that they are part of: they stand where there is room.
      if (span.parent >= 0 && lane.row.has(span.parent) && trace.spans[span.parent].start < span.start) assert.ok(row > lane.row.get(span.parent));
    }
  }
});

test("each axis is monotone, covers the run, and is its own inverse", () => {
  for (const kind of AXES) {
    const a = axis(kind, trace);
    assert.equal(a.place(0), 0);
    assert.ok(Math.abs(a.place(trace.end) - 1) < 1e-9);
    let last = -1;
    for (let i = 0; i <= 1000; i++) {
      const place = a.place((trace.end * i) / 1000);
      assert.ok(place >= last, kind);
      last = place;
      assert.ok(Math.abs(a.time(place) - (trace.end * i) / 1000) < 2, kind);
    }
  }
  assert.ok(axis("squeezed", trace).gaps.length > 0);
  assert.equal(axis("real", trace).gaps.length, 0);
});

test("no label over another label or another bar, none outside the picture", () => {
  for (const kind of AXES) for (const level of LEVELS) {
    const scene = makeScene(trace, level, kind);
    for (const width of [400, 800, 1600]) {
      for (let zoom = 1; zoom > 1e-4; zoom /= 3) {
        for (const from of [-0.02, 0.3, 0.6]) {
          const shapes = layout(scene, { width, from, to: from + zoom * 1.04, measure });
          const rows = new Map();
          for (const bar of shapes.bars) rows.set(bar.y, [...(rows.get(bar.y) ?? []), bar]);
          for (const bars of rows.values()) {
            bars.forEach((bar, i) => {
              if (!bar.label) return;
              const end = bar.label.x + bar.label.w;
              assert.ok(end <= width, `${bar.label.text} leaves the picture`);
              if (bars[i + 1]) assert.ok(end <= bars[i + 1].x + 3, `${bar.label.text} over another`);
            });
          }
          const strips = new Map();
          for (const mark of shapes.marks.filter((m) => !m.small && m.event.kind !== "reparent")) {
            assert.ok(mark.x - (strips.get(mark.y) ?? -100) >= 9, "two glyphs over each other");
            strips.set(mark.y, mark.x);
          }
        }
      }
    }
  }
});

test("what is drawn can be hit, and nothing else", () => {
  const scene = makeScene(trace, "calls", "squeezed");
  const shapes = layout(scene, { width: 1000, from: 0, to: 1, measure });
  const bar = shapes.bars.find((b) => b.span?.name === "runc.create");
  assert.equal(hit(shapes, bar.x + bar.w / 2, bar.y + 2), bar.span);
  const mark = shapes.marks.find((m) => m.event.kind === "clone" && !m.small);
  assert.equal(hit(shapes, mark.x, mark.y), mark.event);
  assert.equal(hit(shapes, 5, shapes.height + 50), null);
  for (const b of shapes.bars) assert.ok(shapes.lanes.some((l) => b.y >= l.y && b.y + b.h <= l.y + l.height));
});

test("unproved steps are never merged away, the reparenting always has its arrow", () => {
  const scene = makeScene(trace, "story", "real");
  const shapes = layout(scene, { width: 120, from: 0, to: 1, measure });
  assert.equal(shapes.bars.filter((b) => b.span.proof === "unproved").length, trace.spans.filter((s) => s.proof === "unproved").length);
  assert.equal(shapes.arrows.filter((a) => a.kind === "reparent").length, 2);
});

test("a request has an arrow to the process that was there before, and its reply one back", () => {
  const shapes = layout(makeScene(trace, "stages", "events"), { width: 4000, from: -0.1, to: 1.1, measure });
  const asked = shapes.arrows.filter((a) => a.kind === "request");
  const create = asked.find((a) => a.spans[1].name === "daemon.create");
  assert.equal(create.spans[0].name, "client.create");
  assert.equal(create.name, "HTTP");
  assert.ok(asked.some((a) => a.name === "gRPC") && shapes.arrows.some((a) => a.kind === "reply"));
  for (const a of asked) assert.ok(a.spans[0].proc !== a.spans[1].proc);
  assert.ok(!asked.some((a) => a.spans[1].name === "bundle.create"), "hull-bundle was made for it: that is a fork");
});

test("only what is in sight is laid out", () => {
  const scene = makeScene(trace, "calls", "events");
  const all = layout(scene, { width: 1000, from: 0, to: 1, measure });
  const { y, height } = scene.places[4];
  const some = layout(scene, { width: 1000, from: 0, to: 1, measure, top: y + 1, bottom: y + height - 1 });
  assert.equal(some.height, all.height);
  assert.deepEqual(some.lanes.map((l) => l.lane), [scene.places[4].lane]);
  assert.ok(some.bars.length < all.bars.length);
});

const proc = trace.procs[0];
const big = (spans, events) => ({ ...trace, spans, events, processes: [], processOf: new Map(), end: 1e6 });

test("a hundred thousand spans are laid out within one frame's order of magnitude of shapes", () => {
  const spans = Array.from({ length: 100000 }, (_, i) => ({ ...trace.spans[0], index: i, parent: -1, proc, proof: "proved", error: "", start: i * 10, end: i * 10 + 9, children: [], events: [] }));
  const shapes = layout(makeScene(big(spans, []), "stages", "real"), { width: 1200, from: 0, to: 1, measure });
  assert.ok(shapes.bars.length < 8000, `${shapes.bars.length} rectangles`);
});

test("twenty thousand system calls of one process as well, from far and from near", () => {
  const events = Array.from({ length: 20000 }, (_, i) => ({ ...trace.events[0], index: i, proc, kind: "prctl", call: "prctl", args: [], proves: [], time: i * 50 + 20, duration: 20 }));
  const scene = makeScene(big([], events), "calls", "real");
  for (const to of [1, 0.1, 0.01, 0.001]) {
    const shapes = layout(scene, { width: 1200, from: 0, to, measure });
    assert.ok(shapes.bars.length + shapes.marks.length < 4000, `${shapes.bars.length} rectangles, ${shapes.marks.length} marks`);
    assert.ok(shapes.bars.length > 5);
  }
});

test("times are written in the digits that tell them apart", () => {
  assert.equal(formatDuration(380e3), "380 µs");
  assert.equal(formatDuration(4.214e6), "4.21 ms");
  assert.equal(formatDuration(42.14e6), "42.1 ms");
  assert.equal(formatDuration(1.5e9), "1.50 s");
  assert.equal(formatTime(31.4159e6, 1e4), "31.42 ms");
  assert.equal(roundStep(3), 5);
  assert.equal(roundStep(70), 100);
  const labels = ticks(axis("real", trace), 0, 1, 800).map((t) => t.label);
  assert.equal(new Set(labels).size, labels.length);
});

test("characters that cannot be seen are shown", () => {
  assert.equal(visible("a\u202eb\u0007\u2028"), "a\\u{202e}b\\u{7}\\u{2028}");
});
