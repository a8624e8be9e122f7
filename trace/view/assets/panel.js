import { processName, stepName, visible } from "./data.js";
import { formatDuration, formatTime } from "./time.js";
import { drawGlyph, familyOf } from "./glyph.js";
import { call, tell } from "./tell.js";
import { contract } from "./arrows.js";
import { element } from "./element.js";
import { markdown } from "./markdown.js";
import { resize } from "./draw.js";

// The panel beside the timeline: the selected step, kernel event or process in words. select(what) is called when the reader follows a
// reference.

const VERDICTS = {
  proved: ["proved", "✓ proved", "The program says so, and the kernel shows it."],
  unproved: ["unproved", "✗ claimed, not proved", "The program says so. Evidence would exist if it were true, and none was found."],
  none: ["none", "· no proof", "The program says so. There is nothing that could prove it or disprove it."],
};

export function spanPanel(trace, span, select) {
  const step = trace.steps.get(span.name);
  const [kind, label, meaning] = VERDICTS[span.proof] ?? ["none", visible(span.proof), ""];
  const parent = trace.spans[span.parent];
  return [
    element("p", { class: "kicker" }, visible(step ? step.stage : "not in the catalogue"), " · ", element("code", {}, visible(stepName(span)))),
    element("h2", {}, step ? sentence(step.title) : visible(span.name)),
    step && element("p", { class: "why" }, step.why),
    element("div", { class: "versus" },
      element("section", { class: "claim" }, element("h3", {}, span.claim === "kernel" ? "No program says so" : "The claim"), claim(trace, span)),
      element("section", { class: `proof ${kind}` }, element("h3", {}, "The proof"),
        element("p", { class: `verdict ${kind}`, title: meaning }, label),
        span.because && element("p", {}, visible(span.because)),
        step && span.proof !== "none" && element("p", { class: "note" }, "Looked for: ", step.rule, ".")),
      span.evidence.length > 0 && element("section", { class: "evidence" }, element("h3", {}, "The evidence"), eventList(trace, span.evidence, span, select))),
    span.error && element("p", { class: "error" }, element("strong", {}, "It failed. "), visible(span.error)),
    step && step.text && element("section", { class: "text" }, markdown(step.text)),
    step && step.man && element("p", { class: "man" }, "Manual: ", step.man.join(" · ")),
    around(trace, span, parent, select),
    element("p", { class: "note" }, `Span ${span.id}`, span.late ? ". It ended after the client had left." : "."),
  ];
}

function sentence(title) {
  return title.charAt(0).toUpperCase() + title.slice(1);
}

function claim(trace, span) {
  const rows = [
    ["by", `${visible(span.service)} ${span.proc.pid || ""}`],
    span.tid && span.tid !== span.proc.pid ? ["thread", span.tid] : null,
    ["from", formatTime(span.start)],
    ["takes", formatDuration(span.end - span.start)],
    asked(trace, span),
    ...span.attrs.map(([k, v]) => [visible(k), visible(v)]),
  ];
  return facts(rows);
}

// asked says over which protocol the step was asked for, if another process did.
function asked(trace, span) {
  const asks = trace.spans[span.parent];
  const process = trace.processOf.get(span.proc);
  if (!asks || asks.proc === span.proc || (process && process.born > asks.start)) return null;
  const stage = trace.steps.get(span.name)?.stage ?? process?.stage ?? "";
  return [`${contract(stage)} from`, `${visible(asks.service)} ${asks.proc.pid || ""}`];
}

function facts(rows) {
  return element("dl", {}, rows.filter(Boolean).map(([k, v]) => [element("dt", {}, k), element("dd", {}, String(v))]));
}

// around is the step's neighbourhood: what it happens inside of, what happens inside of it, what the kernel did in it.
function around(trace, span, parent, select) {
  const inner = span.children.map((i) => trace.spans[i]);
  const rest = span.events.filter((i) => !span.evidence.includes(i));
  return element("section", { class: "around" },
    parent && [element("h3", {}, "Happens inside of"), element("ul", {}, element("li", {}, reference(parent, select)))],
    inner.length > 0 && [element("h3", {}, "Inside of it"), first(inner, (s) => reference(s, select))],
    span.links.length > 0 && [element("h3", {}, "Continues"), element("ul", {}, span.links.map((i) => element("li", {}, reference(trace.spans[i], select))))],
    rest.length > 0 && [element("h3", {}, "What else the kernel did in it"), eventList(trace, rest, span, select)]);
}

// first are the first of a list as items of one, and how many more there are: a step may hold thousands of events.
const FEW = 100;

function first(list, item) {
  const more = list.length - FEW;
  return element("ul", { class: "events" }, list.slice(0, FEW).map((x) => element("li", {}, item(x))),
    more > 0 && element("li", { class: "note" }, `and ${more} more: see the table`));
}

function reference(span, select) {
  const mark = { proved: "✓", unproved: "✗" }[span.proof] ?? "·";
  return element("button", { type: "button", class: "reference", click: () => select(span) },
    element("span", { class: `mark ${span.proof === "unproved" ? "unproved" : ""}` }, mark), " ", element("code", {}, visible(stepName(span))),
    element("span", { class: "when" }, formatDuration(span.end - span.start)));
}

function eventList(trace, list, span, select) {
  return first(list, (i) => {
    const event = trace.events[i];
    return [element("button", { type: "button", class: "reference", click: () => select(event) },
      glyph(event.kind), " ", element("code", {}, visible(call(event))),
      element("span", { class: "when" }, formatTime(event.time))),
    event.proc !== span.proc && element("span", { class: "note" }, ` in ${visible(processName(trace, event.proc, event.time))}`)];
  });
}

export function glyph(kind) {
  const canvas = element("canvas", { class: "glyph", "aria-hidden": "true" });
  const c = resize(canvas, 12, 12);
  c.fillStyle = c.strokeStyle = getComputedStyle(document.body).getPropertyValue("--ink");
  drawGlyph(c, familyOf(kind).shape, 6, 6);
  return canvas;
}

// SURROUNDINGS are the arguments that say in which namespaces and cgroup a process is: folded, for they are many and rarely what one looks for.
const SURROUNDINGS = /^(ns\..*|cgroup|nspid)$/;

function surroundings(event) {
  const args = event.args.filter(([k]) => SURROUNDINGS.test(k));
  return args.length > 0 && element("details", {}, element("summary", {}, "Its namespaces and cgroup"), facts(args.map(([k, v]) => [visible(k), visible(v)])));
}

export function eventPanel(trace, event, select) {
  const family = familyOf(event.kind);
  const step = trace.spans[event.span];
  return [
    element("p", { class: "kicker" }, "the kernel · ", family.says),
    element("h2", {}, glyph(event.kind), " ", element("code", {}, visible(`kernel.${event.kind}`))),
    element("p", { class: "why" }, tell(trace, event), "."),
    event.call && element("pre", {}, element("code", {}, visible(call(event)))),
    facts([
      ["process", visible(processName(trace, event.proc, event.time))],
      event.comm ? ["task name", visible(event.comm)] : null,
      event.tid && event.tid !== event.proc.pid ? ["thread", event.tid] : null,
      ["at", formatTime(event.time)],
      event.duration ? ["took", formatDuration(event.duration)] : null,
      ...event.args.filter(([k]) => !SURROUNDINGS.test(k)).map(([k, v]) => [visible(k), visible(v)]),
    ]),
    surroundings(event),
    event.guess && element("p", { class: "note" }, "Joined to its step by time alone: a guess."),
    element("section", { class: "around" },
      event.proves.length > 0 && [element("h3", {}, "It proves"), element("ul", {}, event.proves.map((i) => element("li", {}, reference(trace.spans[i], select))))],
      step && !event.proves.includes(step.index) && [element("h3", {}, "It happens in"), element("ul", {}, element("li", {}, reference(step, select)))],
      !step && element("p", { class: "note" }, "It belongs to no step.")),
  ];
}

export function lanePanel(trace, lane, select) {
  const p = lane.process;
  const rows = [["pid", lane.proc.pid]];
  if (p) {
    if (p.nspid) rows.push(["pid inside", p.nspid]);
    rows.push(["born", p.born < 0 ? "before the trace" : formatTime(p.born)], ["died", p.died < 0 ? "still alive at the end" : formatTime(p.died)]);
    if (p.exit !== null) rows.push(["exit code", p.exit]);
  }
  const line = (time, ...text) => element("li", {}, element("span", { class: "when first" }, formatTime(time)), ...text);
  return [
    element("p", { class: "kicker" }, "a process · ", visible(lane.stage)),
    element("h2", {}, visible(lane.name), " ", String(lane.proc.pid)),
    facts(rows),
    p && element("section", { class: "around" },
      p.parents.length > 0 && [element("h3", {}, "Its parents"), element("ul", {}, p.parents.map((q, i) =>
        line(q.time, i === 0 ? "forked by " : "given to ", visible(processName(trace, q.proc, q.time)))))],
      p.execs.length > 0 && [element("h3", {}, "Its programs"), element("ul", {}, p.execs.map((x) =>
        line(x.time, element("code", {}, visible([x.exe, ...(x.args ?? []).slice(1)].join(" "))))))]),
    !p && element("p", { class: "note" }, "Known from its spans only: the kernel side did not see it."),
    element("section", { class: "around" },
      lane.spans.length > 0 && [element("h3", {}, "Its steps"), first(lane.spans, (s) => reference(s, select))]),
  ];
}
