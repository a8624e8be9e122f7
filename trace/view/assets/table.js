import { processName, stepName, visible } from "./data.js";
import { formatDuration, formatTime } from "./time.js";
import { call } from "./tell.js";
import { element } from "./element.js";

// The table is everything in the order of time, in words: for screen readers, for searching, for copying. A long trace comes in pages: a
// table of twenty thousand rows would stop the browser.

export const PAGE = 1000;

export class Table {
  // place is the element that holds it; onSelect(what) is told when a row is chosen.
  constructor(trace, place, onSelect) {
    this.trace = trace;
    this.place = place;
    this.onSelect = onSelect;
    this.rows = [...trace.spans, ...trace.events].sort((a, b) => begin(a) - begin(b));
    this.page = 0;
  }

  pages() {
    return Math.max(1, Math.ceil(this.rows.length / PAGE));
  }

  // show builds a page; with what it is the page that what is on.
  show(page = this.page, what = null) {
    const at = what ? this.rows.indexOf(what) : -1;
    this.page = Math.min(Math.max(at < 0 ? page : Math.floor(at / PAGE), 0), this.pages() - 1);
    const { trace } = this;
    const first = this.page * PAGE;
    const rows = this.rows.slice(first, first + PAGE);
    const body = rows.map((x, i) => {
      const row = x.is === "span" ? spanRow(trace, x, this.onSelect) : eventRow(trace, x, this.onSelect);
      row.setAttribute("aria-rowindex", String(first + i + 2));
      if (x === what) row.classList.add("selected");
      return row;
    });
    const heads = ["at", "takes", "what", "verdict", "process", "because, or the call"].map((h) => element("th", { scope: "col" }, h));
    this.place.replaceChildren(element("h2", {}, "Everything, in the order of time"), ...this.turns(first, rows.length),
      element("table", { "aria-rowcount": this.rows.length + 1 },
        element("caption", {}, `${trace.spans.length} steps and ${trace.events.length} kernel events`),
        element("thead", {}, element("tr", { "aria-rowindex": 1 }, heads)), element("tbody", {}, body)));
    this.place.querySelector("tr.selected")?.scrollIntoView({ block: "center" });
  }

  // turns are the buttons from page to page, if there is more than one.
  turns(first, count) {
    if (this.pages() === 1) return [];
    const turn = (by) => {
      this.show(this.page + by);
      this.place.scrollTop = 0;
    };
    return [element("p", { class: "turns" },
      element("button", { type: "button", disabled: this.page === 0, click: () => turn(-1) }, "earlier"),
      element("span", { role: "status" }, `rows ${first + 1} to ${first + count} of ${this.rows.length}`),
      element("button", { type: "button", disabled: this.page === this.pages() - 1, click: () => turn(1) }, "later"))];
  }
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
