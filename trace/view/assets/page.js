import { stepName, visible } from "./data.js";
import { formatDuration, formatTime } from "./time.js";
import { tell } from "./tell.js";
import { element } from "./element.js";

// The fixed parts of the page: the heading with the run's numbers, the names of the lanes, the tip under the pointer, the found.

export const find = (id) => document.getElementById(id);

export function heading(trace) {
  const s = trace.summary;
  const command = trace.command.map((a) => (/^[\w@%+=:,./-]+$/.test(a) ? a : `'${a}'`)).join(" ");
  find("command").textContent = visible(command || "a run");
  find("run").textContent = `${formatDuration(trace.took)} on ${trace.date.toISOString().slice(0, 16).replace("T", " ")} UTC · trace ${visible(trace.id)}`;
  const none = s.steps - s.proved - s.unproved;
  const figures = [
    [s.steps, s.steps === 1 ? "step" : "steps", ""], [s.proved, "proved", "proved"], [s.unproved, "not proved", s.unproved ? "bad" : "quiet"],
    [none, "without proof", "quiet"], [s.kernelEvents, "kernel events", ""], [s.lost, "lost", s.lost ? "bad" : "quiet"],
  ];
  find("figures").append(...figures.map(([n, word, kind]) => element("li", { class: kind }, element("b", {}, String(n)), " ", word)));
  const notes = [...trace.notes];
  if (s.lost > 0) notes.unshift(`${trace.lost.events} kernel events and ${trace.lost.spans} spans were lost: what is absent here may have happened.`);
  find("notes").append(...notes.map((n) => element("li", {}, visible(n))));
}

// Gutter names the lanes in sight, each beside its own.
export class Gutter {
  constructor(trace, onSelect) {
    this.trace = trace;
    this.onSelect = onSelect;
    this.heads = new Map();
  }

  show(shapes, selected) {
    const gone = new Set(this.heads.keys());
    for (const place of shapes.lanes) {
      const { lane } = place;
      gone.delete(lane);
      if (!this.heads.has(lane)) this.heads.set(lane, this.make(lane, place.first));
      const head = this.heads.get(lane);
      head.style.top = `${place.y}px`;
      head.style.height = `${place.height}px`;
      head.classList.toggle("selected", lane.proc === selected?.proc && selected.is === "lane");
    }
    for (const lane of gone) {
      this.heads.get(lane).remove();
      this.heads.delete(lane);
    }
    find("gutter").style.height = `${shapes.height}px`;
  }

  make(lane, first) {
    const head = element("button", { type: "button", class: `lane ${first ? "first" : ""}`, click: () => this.onSelect(lane) },
      element("span", { class: "name" }, visible(lane.name), " ", element("span", { class: "pid" }, String(lane.proc.pid))),
      lane.detail && element("span", { class: "detail" }, visible(lane.detail)),
      first && element("span", { class: "stage" }, visible(lane.stage)));
    head.dataset.stage = this.trace.stages.includes(lane.stage) ? lane.stage : "other";
    find("gutter").append(head);
    return head;
  }
}

// nameOf is what is selected, in a few words.
export function nameOf(trace, what) {
  switch (what?.is) {
    case "span": return `${visible(stepName(what))}, ${what.proof === "unproved" ? "claimed, not proved" : what.proof === "none" ? "no proof" : visible(what.proof)}`;
    case "event": return `${formatTime(what.time)}, ${tell(trace, what)}`;
    case "lane": return `${visible(what.name)} ${what.proc.pid}`;
  }
  return "";
}

export function tip(trace, what, e) {
  const box = find("tip");
  box.hidden = !what;
  if (!what) return;
  const step = what.is === "span" && trace.steps.get(what.name);
  box.replaceChildren(
    element("code", {}, visible(what.is === "span" ? stepName(what) : `kernel.${what.kind}`)),
    element("span", {}, what.is === "span" ? ` ${formatDuration(what.end - what.start)}` : ` at ${formatTime(what.time)}`),
    element("br"), what.is === "event" ? tell(trace, what) : step ? step.title : "",
    what.proof === "unproved" ? element("b", {}, " ✗ claimed, not proved") : "");
  const left = Math.min(e.clientX + 14, innerWidth - box.offsetWidth - 8);
  const below = e.clientY + 18 + box.offsetHeight < innerHeight;
  box.style.left = `${Math.max(8, left)}px`;
  box.style.top = `${below ? e.clientY + 18 : e.clientY - box.offsetHeight - 10}px`;
}

// showFound lists what a search has found; onSelect(what) is told of the choice.
export function showFound(trace, found, text, onSelect) {
  const box = find("found");
  box.hidden = text.trim() === "";
  if (box.hidden) return box.replaceChildren();
  const rest = found.count - found.list.length;
  box.replaceChildren(
    element("p", { role: "status" }, found.count === 0 ? "nothing found" : `${found.count} found${rest > 0 ? `, the first ${found.list.length} here` : ""}`),
    element("ul", {}, found.list.map((what) => element("li", {}, element("button", { type: "button", click: () => onSelect(what) },
      element("b", {}, what.is === "span" ? "step" : what.is === "event" ? "kernel" : "process"), " ", nameOf(trace, what))))));
}
