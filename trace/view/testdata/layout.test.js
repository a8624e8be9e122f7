// Tests of the viewer's pure parts: node --test, started by TestProgram, on the data of the page that TRACE_PAGE names.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { decode, visible } from "../assets/data.js";
import { AXES, axis, formatDuration, formatTime, roundStep, ticks } from "../assets/time.js";
import { makeLanes } from "../assets/lanes.js";
import { hit, layout } from "../assets/layout.js";

const page = readFileSync(process.env.TRACE_PAGE, "utf8");
const trace = decode(JSON.parse(page.match(/<script type="application\/json" id="trace">(.*?)<\/script>/s)[1]));
const lanes = makeLanes(trace);
const measure = (text) => text.length * 7;

test("a lane per process, grouped by stage in the catalogue's order", () => {
  assert.equal(lanes.length, trace.processes.length);
  const ranks = lanes.map((l) => trace.stages.indexOf(l.stage));
  assert.deepEqual(ranks, [...ranks].sort((a, b) => a - b));
  assert.equal(lanes.at(-1).stage, "container");
  assert.equal(lanes.flatMap((l) => l.spans).length, trace.spans.length);
});

test("spans of one row never overlap, and lie below what they happen inside of", () => {
  for (const lane of lanes) {
    const rows = new Map();
    for (const span of lane.spans) {
      const row = lane.row.get(span.index);
      assert.ok((rows.get(row) ?? -1) <= span.start, `${span.name} over another in row ${row}`);
      rows.set(row, span.end);
      if (span.parent >= 0 && lane.row.has(span.parent)) assert.ok(row > lane.row.get(span.parent));
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
  for (const kind of AXES) {
    const scene = { trace, lanes, axis: axis(kind, trace) };
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
              if (bars[i + 1]) assert.ok(end <= bars[i + 1].x + 3, `${bar.label.text} over ${bars[i + 1].span.name}`);
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
  const scene = { trace, lanes, axis: axis("squeezed", trace) };
  const shapes = layout(scene, { width: 1000, from: 0, to: 1, measure });
  const bar = shapes.bars.find((b) => b.span.name === "runc.create");
  assert.equal(hit(shapes, bar.x + bar.w / 2, bar.y + 2), bar.span);
  const mark = shapes.marks.find((m) => m.event.kind === "clone");
  assert.equal(hit(shapes, mark.x, mark.y), mark.event);
  assert.equal(hit(shapes, 5, shapes.height + 50), null);
  for (const b of shapes.bars) assert.ok(shapes.lanes.some((l) => b.y >= l.y && b.y + b.h <= l.y + l.height));
});

test("the unproved step is never merged away, the reparenting always has its arrow", () => {
  const scene = { trace, lanes, axis: axis("real", trace) };
  const shapes = layout(scene, { width: 120, from: 0, to: 1, measure });
  assert.ok(shapes.bars.some((b) => b.span.proof === "unproved"));
  assert.equal(shapes.arrows.filter((a) => a.kind === "reparent").length, 2);
  assert.equal(shapes.arrows.filter((a) => a.kind === "fork").length, trace.processes.filter((p) => p.parents.length > 0).length - 1);
});

test("a hundred thousand spans are laid out within one frame's order of magnitude of shapes", () => {
  const proc = trace.procs[0];
  const spans = Array.from({ length: 100000 }, (_, i) => ({ ...trace.spans[0], index: i, parent: -1, proc, start: i * 10, end: i * 10 + 9, children: [], events: [] }));
  const big = { ...trace, spans, events: [], processes: [], end: 1e6 };
  const scene = { trace: big, lanes: makeLanes(big), axis: axis("real", big) };
  const shapes = layout(scene, { width: 1200, from: 0, to: 1, measure });
  assert.ok(shapes.bars.length < 8000, `${shapes.bars.length} rectangles`);
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
