// The time axis. A run is bursts of a few milliseconds between stretches in which nothing happens at process level, so there are three
// ways to lay it out:
//
//   real      a millisecond is as wide as any other
//   squeezed  a stretch in which nothing begins, ends or happens is drawn shorter than it was, and marked
//   events    every moment at which something happens is as far from the next as any other
//
// All three are one piecewise linear map from time (ns) to a place in [0, 1]; zoom and pan are the same for all.

export const AXES = ["squeezed", "real", "events"];

// axis makes the map for the trace's moments.
export function axis(kind, trace) {
  const set = new Set([0, trace.end]);
  for (const s of trace.spans) set.add(clamp(s.start, 0, trace.end)).add(clamp(s.end, 0, trace.end));
  for (const e of trace.events) set.add(clamp(e.time, 0, trace.end));
  const moments = Float64Array.from(set).sort();
  const places = new Float64Array(moments.length);
  const cap = trace.end * 0.01; // a stretch of this length is drawn as it is
  const gaps = [];
  for (let i = 1; i < moments.length; i++) {
    const length = moments[i] - moments[i - 1];
    let weight = length;
    if (kind === "events") weight = 1;
    if (kind === "squeezed" && length > cap) {
      weight = cap * (1 + 0.5 * Math.log2(length / cap));
      if (weight < length / 1.5) gaps.push({ from: moments[i - 1], to: moments[i] });
    }
    places[i] = places[i - 1] + weight;
  }
  const whole = places[places.length - 1] || 1;
  for (let i = 0; i < places.length; i++) places[i] /= whole;
  return { kind, gaps, place: (time) => map(moments, places, time), time: (place) => map(places, moments, place) };
}

// map is linear interpolation between sorted points, and beyond them along the outermost pieces.
function map(from, to, x) {
  let low = 0;
  let high = from.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (from[middle] <= x) low = middle;
    else high = middle;
  }
  const width = from[high] - from[low];
  return width > 0 ? to[low] + ((x - from[low]) / width) * (to[high] - to[low]) : to[low];
}

export function clamp(x, low, high) {
  return Math.min(Math.max(x, low), high);
}

// ticks are the labelled places of the ruler for the visible part [from, to] on width pixels: round times where the axis is even,
// the time at even places where it is not.
export function ticks(axis, from, to, width) {
  const out = [];
  const x = (place) => ((place - from) / (to - from)) * width;
  if (axis.kind === "real") {
    const first = axis.time(from);
    const step = roundStep(((axis.time(to) - first) / width) * 100);
    for (let i = Math.max(0, Math.ceil(first / step)); i * step <= axis.time(to); i++) {
      out.push({ x: x(axis.place(i * step)), label: formatTime(i * step, step) });
    }
    return out;
  }
  const count = Math.max(2, Math.floor(width / 130));
  const first = Math.max(from, 0);
  const step = (axis.time(Math.min(to, 1)) - axis.time(first)) / count / 20;
  for (let i = 0; i < count; i++) {
    const place = first + ((to - first) * i) / count;
    if (place <= 1) out.push({ x: x(place), label: formatTime(axis.time(place), step) });
  }
  return out;
}

// roundStep is the smallest 1, 2 or 5 times a power of ten that is at least x.
export function roundStep(x) {
  const power = 10 ** Math.floor(Math.log10(Math.max(x, 1)));
  for (const n of [1, 2, 5, 10]) if (n * power >= x) return n * power;
  return 10 * power;
}

// formatTime is a moment in ms (from a second on in s), with the decimals that tell it from one that is step away.
export function formatTime(ns, step = 1e4) {
  const [unit, name] = Math.abs(ns) >= 10e9 ? [1e9, "s"] : [1e6, "ms"];
  const decimals = clamp(Math.ceil(Math.log10(unit / Math.max(step, 1))), 0, 6);
  return `${(ns / unit).toFixed(decimals)} ${name}`;
}

// formatDuration is a length of time in three digits: "380 µs", "4.21 ms".
export function formatDuration(ns) {
  for (const [unit, name] of [[1e3, "µs"], [1e6, "ms"], [1e9, "s"]]) {
    const n = ns / unit;
    if (n < 999.5 || name === "s") return `${n < 9.995 && name !== "µs" ? n.toFixed(2) : n < 99.95 && name !== "µs" ? n.toFixed(1) : n.toFixed(0)} ${name}`;
  }
}
