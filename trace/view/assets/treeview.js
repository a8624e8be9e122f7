import { processName, stepName, visible } from "./data.js";
import { formatTime } from "./time.js";
import { tell } from "./tell.js";
import { firstProcess, reaps, treeAt } from "./tree.js";
import { element } from "./element.js";

// TreeView shows the process tree at one instant: a list for those who read it, rows with lines between parent and child for those who look.
// A row keeps its place in the page as long as its process lives, so that a new parent is seen as the move that it is: the style sheet lets it
// glide, unless the reader wants no motion.

const HEIGHT = 27; // of a row
const INDENT = 20;

export class TreeView {
  // parts: {rows: the list, says: what happens at this instant, asks: who learns of the container's end}; onSelect(proc) is told of a click.
  constructor(trace, parts, onSelect) {
    this.trace = trace;
    this.parts = parts;
    this.onSelect = onSelect;
    this.reaped = reaps(trace);
    this.shown = new Map(); // proc to its row's element
  }

  // show is the tree at a time; what is the event or the step that happens just then, or null; selected is a process, or null.
  show(time, what, selected) {
    const event = what?.is === "event" ? what : null;
    const rows = treeAt(this.trace, time, this.reaped);
    const at = new Map(rows.map((row, i) => [row, i]));
    const gone = new Set(this.shown.keys());
    rows.forEach((row, i) => {
      const { proc } = row.process;
      gone.delete(proc);
      if (!this.shown.has(proc)) this.shown.set(proc, this.make(proc));
      this.fill(this.shown.get(proc), row, i, at, proc === selected || (event && event.proc === proc));
    });
    for (const proc of gone) {
      this.shown.get(proc).remove();
      this.shown.delete(proc);
    }
    // In the order of the tree, for whoever reads the list; what stands in its place already is not touched, or it would not glide.
    rows.forEach((row, i) => {
      const item = this.shown.get(row.process.proc);
      const now = this.parts.rows.children[i];
      if (now !== item) this.parts.rows.insertBefore(item, now ?? null);
    });
    this.parts.rows.style.height = `${rows.length * HEIGHT}px`;
    this.says(time, !what ? "" : event ? tell(this.trace, event) : `${visible(stepName(what))} begins`, rows);
  }

  make(proc) {
    const item = element("li", {},
      element("span", { class: "was", "aria-hidden": "true" }), element("span", { class: "elbow", "aria-hidden": "true" }),
      element("button", { type: "button", click: () => this.onSelect(proc) }));
    return item;
  }

  fill(item, row, i, at, stressed) {
    const { process: p } = row;
    const [was, elbow, button] = item.children;
    const x = row.depth * INDENT;
    item.className = [row.state, row.moved ? "moved" : "", stressed ? "selected" : ""].join(" ");
    item.dataset.stage = p.nspid === 1 ? "container" : this.trace.stages.includes(p.stage) ? p.stage : "other";
    item.style.transform = `translateY(${i * HEIGHT}px)`;
    button.style.marginLeft = `${x}px`;
    const up = row.parent ? (i - at.get(row.parent)) * HEIGHT : 0;
    elbow.hidden = !row.parent;
    elbow.style.left = `${x - INDENT + 6}px`;
    elbow.style.height = `${up - HEIGHT / 2 + 3}px`;
    this.fillWas(was, row, i, at);
    const parent = row.parent ? `, child of ${row.parent.name} ${row.parent.pid}` : "";
    const tags = [
      p.nspid ? `pid ${p.nspid} inside` : "", row.state === "zombie" ? `zombie${p.exit === null ? "" : `, exit ${p.exit}`}` : "",
      row.moved ? "new parent" : "",
    ].filter((t) => t !== "");
    button.replaceChildren(element("b", {}, visible(row.name)), " ", element("span", { class: "pid" }, String(row.pid)),
      element("span", { class: "unseen" }, visible(parent)), ...tags.map((t) => [" ", element("span", { class: "tag" }, t)]).flat());
  }

  // fillWas is the line to the parent that the process had until this instant.
  fillWas(was, row, i, at) {
    was.hidden = !row.before;
    if (!row.before) return;
    const distance = (at.get(row.before) - i) * HEIGHT;
    was.classList.toggle("below", distance > 0);
    was.style.top = `${(distance < 0 ? distance : 0) + HEIGHT / 2}px`;
    was.style.height = `${Math.abs(distance)}px`;
  }

  says(time, words, rows) {
    const { says, asks } = this.parts;
    says.replaceChildren(element("b", {}, formatTime(time)), " ", words);
    const first = firstProcess(rows);
    asks.replaceChildren(...(!first ? [] : first.parent
      ? ["If ", element("b", {}, visible(processName(this.trace, first.process.proc, time))), " ended now, the kernel would tell ",
        element("b", {}, `${visible(first.parent.name)} ${first.parent.pid}`), ". It is the parent."]
      : ["Its parent is not in the trace."]));
  }
}
