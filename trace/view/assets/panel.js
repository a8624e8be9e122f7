import { processName, stepName, visible } from "./data.js";
import { formatDuration, formatTime } from "./time.js";
import { FAMILIES, drawGlyph, familyOf } from "./glyph.js";
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
    ...span.attrs.map(([k, v]) => [visible(k), visible(v)]),
  ];
  return facts(rows);
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
    inner.length > 0 && [element("h3", {}, "Inside of it"), element("ul", {}, inner.map((s) => element("li", {}, reference(s, select))))],
    span.links.length > 0 && [element("h3", {}, "Continues"), element("ul", {}, span.links.map((i) => element("li", {}, reference(trace.spans[i], select))))],
    rest.length > 0 && [element("h3", {}, "What else the kernel did in it"), eventList(trace, rest, span, select)]);
}

function reference(span, select) {
  const mark = { proved: "✓", unproved: "✗" }[span.proof] ?? "·";
  return element("button", { type: "button", class: "reference", click: () => select(span) },
    element("span", { class: `mark ${span.proof === "unproved" ? "unproved" : ""}` }, mark), " ", element("code", {}, visible(stepName(span))),
    element("span", { class: "when" }, formatDuration(span.end - span.start)));
}

function eventList(trace, list, span, select) {
  return element("ul", { class: "events" }, list.map((i) => {
    const event = trace.events[i];
    return element("li", {}, element("button", { type: "button", class: "reference", click: () => select(event) },
      glyph(event.kind), " ", element("code", {}, visible(call(event))),
      element("span", { class: "when" }, formatTime(event.time))),
    event.proc !== span.proc && element("span", { class: "note" }, ` in ${visible(processName(trace, event.proc, event.time))}`));
  }));
}

// call is a kernel event as strace would print it.
export function call(event) {
  const args = event.args.map(([k, v]) => `${k}=${v}`).join(", ");
  return event.call ? `${event.call}(${args}) = ${event.ret}` : `${event.kind} ${args}`.trim();
}

export function glyph(kind) {
  const canvas = element("canvas", { class: "glyph", "aria-hidden": "true" });
  const c = resize(canvas, 12, 12);
  c.fillStyle = c.strokeStyle = getComputedStyle(document.body).getPropertyValue("--ink");
  drawGlyph(c, familyOf(kind).shape, 6, 6);
  return canvas;
}

export function eventPanel(trace, event, select) {
  const family = familyOf(event.kind);
  const step = trace.spans[event.span];
  return [
    element("p", { class: "kicker" }, "the kernel · ", family.says),
    element("h2", {}, glyph(event.kind), " ", element("code", {}, visible(`kernel.${event.kind}`))),
    event.call && element("pre", {}, element("code", {}, visible(call(event)))),
    facts([
      ["process", visible(processName(trace, event.proc, event.time))],
      event.comm ? ["task name", visible(event.comm)] : null,
      event.tid && event.tid !== event.proc.pid ? ["thread", event.tid] : null,
      ["at", formatTime(event.time)],
      event.duration ? ["took", formatDuration(event.duration)] : null,
      ...event.args.map(([k, v]) => [visible(k), visible(v)]),
    ]),
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
      lane.spans.length > 0 && [element("h3", {}, "Its steps"), element("ul", {}, lane.spans.map((s) => element("li", {}, reference(s, select))))]),
  ];
}

// legend is what the panel says while nothing is selected: how to read the picture.
export function legend() {
  const sample = (kind, text) => element("li", {}, element("span", { class: `sample ${kind}` }), element("span", {}, text));
  return [
    element("p", { class: "kicker" }, "How to read this"),
    element("h2", {}, "One run, told twice"),
    element("p", {}, "A lane is a process. A bar is a step, as the program itself tells it. A sign below the bars is what the kernel saw. Select either."),
    element("ul", { class: "legend" },
      sample("proved", "proved: the kernel shows that it happened"),
      sample("none", "claimed: nothing could prove it, or the tracer could not look"),
      sample("unproved", "claimed, not proved: evidence was possible, and is not there"),
      sample("life", "a process, from its birth to its death"),
      sample("fork", "a fork, from the parent to its child"),
      sample("reparent", "reparenting: the child has another parent from here on"),
      sample("gap", "a stretch in which nothing happens, drawn shorter than it was")),
    element("h3", {}, "What the kernel saw"),
    element("ul", { class: "legend glyphs" }, FAMILIES.map((f) => element("li", {}, glyph(f.kinds[0]), element("span", {}, element("b", {}, f.name), " ", f.says)))),
  ];
}
