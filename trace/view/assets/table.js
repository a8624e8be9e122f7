import { processName, stepName, visible } from "./data.js";
import { formatDuration, formatTime } from "./time.js";
import { element } from "./element.js";
import { call } from "./panel.js";

// The table is everything in the order of time, in words: for screen readers, for searching, for copying.

const MOST = 20000; // rows; a page with more would not be usable

export function table(trace, select) {
  const rows = [...trace.spans, ...trace.events].sort((a, b) => begin(a) - begin(b));
  const body = rows.slice(0, MOST).map((what) => (what.is === "span" ? spanRow(trace, what, select) : eventRow(trace, what, select)));
  const heads = ["at", "takes", "what", "verdict", "process", "because, or the call"].map((h) => element("th", { scope: "col" }, h));
  return [
    element("table", {},
      element("caption", {}, `${trace.spans.length} steps and ${trace.events.length} kernel events, in the order of time`),
      element("thead", {}, element("tr", {}, heads)), element("tbody", {}, body)),
    rows.length > MOST && element("p", {}, `${rows.length - MOST} more are not shown here.`),
  ];
}

function begin(what) {
  return what.is === "span" ? what.start : what.time;
}

function spanRow(trace, span, select) {
  const words = { proved: "proved", unproved: "claimed, not proved", none: "no proof" };
  return element("tr", { class: span.proof === "unproved" ? "unproved" : "" },
    element("td", { class: "number" }, formatTime(span.start)), element("td", { class: "number" }, formatDuration(span.end - span.start)),
    element("th", { scope: "row" }, element("button", { type: "button", class: "reference", click: () => select(span) }, visible(stepName(span)))),
    element("td", {}, words[span.proof] ?? visible(span.proof)), element("td", {}, `${visible(span.service)} ${span.proc.pid || ""}`),
    element("td", {}, visible(span.error ? `failed: ${span.error}` : span.because)));
}

function eventRow(trace, event, select) {
  return element("tr", { class: "kernel" },
    element("td", { class: "number" }, formatTime(event.time)), element("td", { class: "number" }, event.duration ? formatDuration(event.duration) : ""),
    element("th", { scope: "row" }, element("button", { type: "button", class: "reference", click: () => select(event) }, visible(`kernel.${event.kind}`))),
    element("td", {}, "seen"), element("td", {}, visible(processName(trace, event.proc, event.time))), element("td", {}, element("code", {}, visible(call(event)))));
}
