import { ticks } from "./time.js";
import { drawGlyph, familyOf } from "./glyph.js";

// Painting: from the layout's shapes to the canvas. It measures nothing and decides nothing.

export const RULER = 30; // height of the ruler

// resize makes a canvas as large as it is shown, in device pixels, and gives its context in CSS pixels.
export function resize(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const c = canvas.getContext("2d");
  c.setTransform(ratio, 0, 0, ratio, 0, 0);
  return c;
}

export function drawRuler(c, axis, view, theme) {
  c.clearRect(0, 0, view.width, RULER);
  c.font = theme.font;
  c.textBaseline = "middle";
  c.fillStyle = theme.soft;
  c.strokeStyle = theme.hair;
  c.lineWidth = 1;
  for (const t of ticks(axis, view.from, view.to, view.width)) {
    line(c, Math.round(t.x) + 0.5, RULER - 8, Math.round(t.x) + 0.5, RULER);
    c.fillText(t.label, t.x + 5, RULER / 2 + 1);
  }
  line(c, 0, RULER - 0.5, view.width, RULER - 0.5);
}

function line(c, x1, y1, x2, y2) {
  c.beginPath();
  c.moveTo(x1, y1);
  c.lineTo(x2, y2);
  c.stroke();
}

// drawScene paints everything below the ruler. state {selected, hovered, instant}: what to stress, and the moment of the process tree.
export function drawScene(c, scene, shapes, view, theme, state) {
  c.clearRect(0, view.top, view.width, view.bottom - view.top);
  c.font = theme.font;
  c.textBaseline = "middle";
  drawGaps(c, shapes, theme);
  c.strokeStyle = theme.hair;
  c.globalAlpha = 0.55;
  for (const t of ticks(scene.axis, view.from, view.to, view.width)) line(c, Math.round(t.x) + 0.5, 0, Math.round(t.x) + 0.5, shapes.height);
  c.globalAlpha = 1;
  for (const place of shapes.lanes) drawLife(c, place, view, theme);
  drawInstant(c, scene, view, theme, state);
  for (const arrow of shapes.arrows) drawArrow(c, arrow, theme, state);
  const colours = new Map(shapes.lanes.map((p) => [p.lane.proc, theme.stage(p.lane.stage)]));
  if (state.selected && state.selected.is === "span") drawFamily(c, shapes, state.selected, theme);
  for (const bar of shapes.bars) {
    if (bar.span) drawBar(c, bar, view.width, colours.get(bar.span.proc), theme, state);
    else drawCall(c, bar, colours.get(bar.event.proc), theme, state);
  }
  for (const mark of shapes.marks) if (mark.small) drawMark(c, mark, theme, state);
  for (const mark of shapes.marks) if (!mark.small) drawMark(c, mark, theme, state);
  for (const arrow of shapes.arrows) if (arrow.label) drawArrowLabel(c, arrow, theme);
}

// drawInstant is the line at the moment whose process tree is shown.
function drawInstant(c, scene, view, theme, state) {
  if (state.instant === null) return;
  const x = Math.round(((scene.axis.place(state.instant) - view.from) / (view.to - view.from)) * view.width) + 0.5;
  c.strokeStyle = theme.ink;
  c.globalAlpha = 0.45;
  c.lineWidth = 1;
  line(c, x, view.top, x, view.bottom);
  c.globalAlpha = 1;
}

function drawGaps(c, shapes, theme) {
  c.fillStyle = theme.band;
  for (const gap of shapes.gaps) {
    const middle = gap.x + gap.w / 2;
    c.fillRect(middle - 1.5, 0, 3, shapes.height);
  }
}

// drawLife is the band in which the process exists, closed at its birth and its death where the trace saw them.
function drawLife(c, place, view, theme) {
  const left = Math.max(place.born, -4);
  const right = Math.min(place.died, view.width + 4);
  if (right < 0 || left > view.width) return;
  c.fillStyle = theme.faint;
  c.fillRect(left, place.y + 2, Math.max(right - left, 1), place.height - 4);
  c.fillStyle = theme.stage(place.lane.stage).line;
  if (place.born >= 0) c.fillRect(place.born - 1, place.y + 2, 2, place.height - 4);
  if (place.died <= view.width) c.fillRect(place.died - 1, place.y + 2, 2, place.height - 4);
}

// The kinds of arrows differ in stroke and head as well as in colour: a fork is a plain line with a full head, a reparenting is dashed and
// heavy, a signal is dotted and ends in a bar, a request has an open head, and its reply is dotted.
const STROKES = {
  fork: { width: 1.25, dash: [], head: "full", ink: "soft" },
  reparent: { width: 2, dash: [5, 3], head: "full", ink: "accent" },
  signal: { width: 1.5, dash: [2, 2], head: "bar", ink: "alarm" },
  request: { width: 1, dash: [], head: "open", ink: "soft" },
  reply: { width: 1, dash: [1, 3], head: "open", ink: "soft" },
};

function drawArrow(c, arrow, theme, state) {
  const stroke = STROKES[arrow.kind];
  const stressed = arrow.spans?.includes(state.selected);
  c.strokeStyle = c.fillStyle = stressed ? theme.ink : theme[stroke.ink];
  c.lineWidth = stressed ? 1.5 : stroke.width;
  c.globalAlpha = arrow.spans && !stressed ? 0.6 : 1;
  c.setLineDash(stroke.dash);
  if (arrow.to !== null) {
    const down = arrow.to > arrow.from ? 1 : -1;
    const gap = arrow.spans ? 0 : 6;
    line(c, arrow.x, arrow.from + gap * down, arrow.x, arrow.to - (stroke.head === "full" ? 5 : 0) * down);
    c.setLineDash([]);
    if (!arrow.headless) drawHead(c, stroke.head, arrow.x, arrow.to, down);
  }
  if (arrow.kind === "reparent") drawGlyph(c, "ring", arrow.x, arrow.from);
  c.setLineDash([]);
  c.globalAlpha = 1;
}

function drawHead(c, head, x, y, down) {
  c.beginPath();
  if (head === "full") {
    c.moveTo(x, y), c.lineTo(x - 4, y - 7 * down), c.lineTo(x + 4, y - 7 * down), c.closePath(), c.fill();
  } else if (head === "open") {
    c.moveTo(x - 3.5, y - 5 * down), c.lineTo(x, y), c.lineTo(x + 3.5, y - 5 * down), c.stroke();
  } else {
    c.moveTo(x - 4, y), c.lineTo(x + 4, y), c.stroke();
  }
}

function drawArrowLabel(c, arrow, theme) {
  halo(c, arrow.label.text, arrow.label.x, arrow.label.y, theme);
  c.fillStyle = theme.accent;
  c.fillText(arrow.label.text, arrow.label.x, arrow.label.y);
}

// drawBar: filled is proved, outlined is claimed where no proof is possible, hatched is claimed and not proved.
function drawBar(c, bar, width, colour, theme, state) {
  const { x, y, w, h, span } = bar;
  const left = Math.max(x, -8);
  const right = Math.min(x + w, width + 8);
  c.beginPath();
  c.roundRect(left, y, right - left, h, Math.min(3, w / 2));
  if (span.proof === "proved") {
    c.fillStyle = colour.fill;
    c.fill();
  } else {
    c.fillStyle = theme.paper;
    c.fill();
    if (span.proof === "unproved") hatch(c, left, y, right - left, h, theme.alarm);
    c.beginPath();
    c.roundRect(left + 0.75, y + 0.75, Math.max(right - left - 1.5, 1), h - 1.5, Math.min(2.5, w / 2));
    c.strokeStyle = span.proof === "unproved" ? theme.alarm : colour.line;
    c.lineWidth = 1.5;
    c.stroke();
  }
  if (span.proof === "unproved" && w < 14) {
    c.fillStyle = theme.paper;
    c.fillRect(left + w / 2 - 6, y + 2, 12, h - 4);
    c.strokeStyle = theme.alarm;
    drawGlyph(c, "cross", left + w / 2, y + h / 2);
  }
  if (span.error) {
    c.fillStyle = theme.alarm;
    c.fillRect(left, y + h - 3, right - left, 3);
  }
  if (span === state.selected || span === state.hovered) {
    c.beginPath();
    c.roundRect(left - 2, y - 2, right - left + 4, h + 4, 5);
    c.strokeStyle = theme.ink;
    c.lineWidth = span === state.selected ? 2 : 1;
    c.stroke();
  }
  if (bar.label) {
    c.fillStyle = span.proof === "unproved" ? theme.alarm : bar.label.inside && span.proof === "proved" ? colour.text : theme.ink;
    if (bar.label.inside && span.proof === "unproved") plate(c, bar, theme);
    if (!bar.label.inside) halo(c, bar.label.text, bar.label.x, y + h / 2 + 0.5, theme);
    c.fillText(bar.label.text, bar.label.x, y + h / 2 + 0.5);
  }
}

// drawCall is one system call: an outline as long as it took, and what it was asked.
function drawCall(c, bar, colour, theme, state) {
  const failed = bar.event.ret < 0;
  c.beginPath();
  c.rect(bar.x + 0.5, bar.y + 0.5, Math.max(bar.w - 1, 1), bar.h - 1);
  c.fillStyle = theme.paper;
  c.fill();
  c.strokeStyle = failed ? theme.alarm : colour.line;
  c.lineWidth = bar.what === state.selected ? 2 : 1;
  c.stroke();
  if (!bar.label) return;
  c.font = theme.mono;
  if (!bar.label.inside) halo(c, bar.label.text, bar.label.x, bar.y + bar.h / 2 + 0.5, theme);
  c.fillStyle = failed ? theme.alarm : theme.ink;
  c.fillText(bar.label.text, bar.label.x, bar.y + bar.h / 2 + 0.5);
  c.font = theme.font;
}

// halo keeps a text readable where lines pass under it.
function halo(c, text, x, y, theme) {
  c.strokeStyle = theme.paper;
  c.lineWidth = 3;
  c.lineJoin = "round";
  c.strokeText(text, x, y);
}

// plate is a piece of paper under a label that would stand on the hatching.
function plate(c, bar, theme) {
  const ink = c.fillStyle;
  c.fillStyle = theme.paper;
  c.fillRect(bar.label.x - 3, bar.y + 3, bar.label.w + 6, bar.h - 6);
  c.fillStyle = ink;
}

function hatch(c, x, y, w, h, colour) {
  c.save();
  c.clip();
  c.strokeStyle = colour;
  c.lineWidth = 1.5;
  for (let d = -h; d < w; d += 6) line(c, x + d, y + h, x + d + h, y);
  c.restore();
}

function drawMark(c, mark, theme, state) {
  const { event, x, y } = mark;
  const family = familyOf(event.kind);
  c.fillStyle = c.strokeStyle = family.name === "reparent" ? theme.accent : event.ret < 0 ? theme.alarm : mark.small ? theme.soft : theme.ink;
  if (mark.small) {
    c.fillRect(x - 0.5, y - 4, 1, 8);
  } else {
    drawGlyph(c, family.shape, x, y);
  }
  if (event === state.selected || event === state.hovered) {
    c.beginPath();
    c.arc(x, y, 8, 0, 7);
    c.strokeStyle = theme.ink;
    c.lineWidth = event === state.selected ? 2 : 1;
    c.stroke();
  }
}

// drawFamily joins the selected step with the one it happens inside of, and with those inside of it in other processes.
function drawFamily(c, shapes, span, theme) {
  const bars = new Map(shapes.bars.filter((b) => b.span).map((b) => [b.span.index, b]));
  const self = bars.get(span.index);
  if (!self) return;
  const join = (outer, inner) => {
    if (!outer || outer.span.proc === inner.span.proc) return;
    const x = Math.max(inner.x, 1);
    const down = inner.y > outer.y;
    line(c, x, down ? outer.y + outer.h : outer.y, x, down ? inner.y : inner.y + inner.h);
  };
  c.strokeStyle = theme.ink;
  c.lineWidth = 1.25;
  join(bars.get(span.parent), self);
  for (const child of span.children) if (bars.has(child)) join(self, bars.get(child));
}
