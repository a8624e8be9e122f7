// Levels of detail. A run has a hundred steps and hundreds of kernel events; nobody reads them all at first.
//
//   story    the steps that the catalogue tells a run with, and the births, programs, parents and deaths of its processes
//   stages   every step, and every event that proves one
//   calls    everything that the kernel saw
//
// What was claimed and not proved, and what failed, is shown on every level: a picture that hides it would lie.

export const LEVELS = ["story", "stages", "calls"];

const LIVES = new Set(["clone", "exec", "exit", "reparent"]);
const TURNS = new Set(["pivot_root", "unshare", "setns", "capset", "seccomp", "sethostname", "signal", "wait", "cgroup_mkdir", "setsid"]);

// spanLevel and eventLevel are the first level, as an index, on which a span or an event is shown.
export function spanLevel(trace, span) {
  const step = trace.steps.get(span.name);
  return (step && step.story) || span.proof === "unproved" || span.error ? 0 : 1;
}

export function eventLevel(event) {
  if (LIVES.has(event.kind)) return 0;
  return event.proves.length > 0 || TURNS.has(event.kind) ? 1 : 2;
}

// levelOf is the first level on which something is shown.
export function levelOf(trace, what) {
  return what.is === "span" ? spanLevel(trace, what) : what.is === "event" ? eventLevel(what) : 0;
}

// shownAt is what a level shows, both in the order of time.
export function shownAt(trace, level) {
  const most = LEVELS.indexOf(level);
  return {
    spans: trace.spans.filter((s) => spanLevel(trace, s) <= most).sort((a, b) => a.start - b.start || b.end - a.end || a.index - b.index),
    events: trace.events.filter((e) => eventLevel(e) <= most).sort((a, b) => a.time - b.time || a.index - b.index),
  };
}

// outer is the innermost span of shown that the span happens inside of, or null.
export function outer(trace, span, shown) {
  const seen = new Set();
  for (let i = span.parent; i >= 0 && !seen.has(i); i = trace.spans[i].parent) {
    if (shown.has(trace.spans[i])) return trace.spans[i];
    seen.add(i);
  }
  return null;
}
