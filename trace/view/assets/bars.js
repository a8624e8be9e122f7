import { stepName, visible } from "./data.js";
import { short } from "./tell.js";

// Bars: the rectangles of spans, and on the level of system calls those of the calls, with their labels. What cannot be told apart at
// this zoom becomes one bar, so that the number of bars depends on the picture's width and not on the trace's length.

const THIN = 3; // a bar is at least this wide

// spanBars places a lane's spans; rowTop is the top of a row.
export function spanBars(bars, lane, rowTop, height, x, view) {
  const rows = Array.from({ length: lane.rows }, () => []);
  for (const span of lane.spans) {
    const row = lane.row.get(span.index);
    const keep = span.proof === "unproved" || span.error; // never merged away
    place(rows[row], { what: span, span, from: span.start, to: span.end, y: rowTop(row), h: height, names: () => shorter(span), keep }, x, view);
  }
  for (const row of rows) label(row, bars, view);
}

// callBars places a lane's system calls in one row.
export function callBars(bars, lane, top, height, x, view) {
  const row = [];
  for (const event of lane.calls) {
    place(row, { what: event, event, from: event.time - event.duration, to: event.time, y: top, h: height, names: () => [short(event), event.call], keep: false }, x, view);
  }
  label(row, bars, view);
}

function place(row, item, x, view) {
  const left = x(item.from);
  const w = Math.max(x(item.to) - left, THIN);
  if (left + w < 0 || left > view.width) {
    if (left > view.width && row.next === undefined) row.next = left;
    return;
  }
  const last = row[row.length - 1];
  if (last && w <= THIN && left < last.x + last.w - 0.5 && last.w <= 2 * THIN && !item.keep && !last.keep) {
    last.merged++; // not to be told apart at this zoom
    return;
  }
  row.push({ x: left, y: item.y, w, h: item.h, what: item.what, span: item.span ?? null, event: item.event ?? null, names: item.names, keep: item.keep, merged: 0, label: null });
}

// label gives each bar's name a place that nothing else takes: in the bar, or in the free room to its right, or none.
function label(row, bars, view) {
  row.forEach((bar, i) => {
    const limit = Math.min(row[i + 1] ? row[i + 1].x : row.next ?? Infinity, view.width);
    bar.label = placeLabel(bar, limit, view);
    bars.push(bar);
  });
}

function placeLabel(bar, limit, view) {
  const left = Math.max(bar.x, 0) + 6;
  const inside = Math.min(bar.x + bar.w, view.width) - 5 - left;
  const outside = limit - 8 - (bar.x + bar.w + 5);
  if (inside < 12 && outside < 12) return null;
  const sign = bar.span && bar.span.proof === "unproved" ? "✗ " : "";
  const names = bar.names().map((n) => sign + visible(n));
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
