import { decode, stepName, visible } from "./data.js";
import { AXES, formatDuration, formatTime } from "./time.js";
import { makeLanes } from "./lanes.js";
import { element } from "./element.js";
import { eventPanel, lanePanel, legend, spanPanel } from "./panel.js";
import { table } from "./table.js";
import { Timeline } from "./view.js";

// The page: what is where, and which key does what.

const find = (id) => document.getElementById(id);
const trace = decode(JSON.parse(find("trace").textContent));
const lanes = makeLanes(trace);
const timeline = new Timeline(trace, lanes, { scroll: find("scroll"), ruler: find("ruler"), canvas: find("canvas") }, onSelect);

const KEYS = [
  [["w", "+", "="], "W or +", "zoom in", () => timeline.zoom(0.7)],
  [["s", "-"], "S or −", "zoom out", () => timeline.zoom(1 / 0.7)],
  [["a", "ArrowLeft"], "A or ←", "go left", () => timeline.pan(-0.15)],
  [["d", "ArrowRight"], "D or →", "go right", () => timeline.pan(0.15)],
  [["."], ".", "next in time", () => timeline.step(1)],
  [[","], ",", "previous in time", () => timeline.step(-1)],
  [["p"], "P", "to the step it happens inside of", () => timeline.parent()],
  [["f"], "F", "fit: the whole run", () => timeline.fit()],
  [["x"], "X", "next kind of time axis", () => chooseAxis(AXES[(AXES.indexOf(timeline.scene.axis.kind) + 1) % AXES.length])],
  [["t"], "T", "everything as a table", () => showTable(find("table").hidden)],
  [["Enter"], "Enter", "read what is selected", () => find("panel").focus()],
  [["Escape"], "Esc", "select nothing, close", () => close()],
  [["?"], "?", "these keys", () => showHelp(find("help").hidden)],
];

const PANELS = { span: spanPanel, event: eventPanel, lane: lanePanel };

function onSelect(what) {
  const panel = find("panel");
  panel.replaceChildren(...flat(what ? PANELS[what.is](trace, what, (next) => timeline.select(next)) : legend()));
  panel.scrollTop = 0;
  find("said").textContent = !what ? "" : what.is === "span" ? `${visible(stepName(what))}, ${what.proof}` : what.is === "event" ? `kernel ${visible(what.kind)}` : visible(what.name);
  for (const head of find("gutter").children) head.classList.toggle("selected", head.lane === what);
  remember(what);
}

function flat(list) {
  return list.flat(Infinity).filter((x) => x !== null && x !== undefined && x !== false);
}

// remember puts the selection into the page's address, so that a link can point to a step; restore reads it.
function remember(what) {
  const to = what?.is === "span" ? `#span=${what.id}` : what?.is === "event" ? `#event=${what.index}` : "#";
  try {
    history.replaceState(null, "", to);
  } catch {
    // Some browsers give a page from disk no history; nothing is lost.
  }
}

function restore() {
  const [kind, value] = location.hash.slice(1).split("=");
  if (kind === "span") return trace.spans.find((s) => s.id === value) ?? null;
  if (kind === "event") return trace.events[Number(value)] ?? null;
  return null;
}

function heading() {
  const s = trace.summary;
  const command = trace.command.map((a) => (/^[\w@%+=:,./-]+$/.test(a) ? a : `'${a}'`)).join(" ");
  find("command").textContent = visible(command || "a run");
  find("run").textContent = `${formatDuration(trace.end)} on ${trace.date.toISOString().slice(0, 16).replace("T", " ")} UTC · trace ${visible(trace.id)}`;
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

// gutter names the lanes, each beside its own.
function gutter(shapes) {
  const heads = find("gutter");
  if (heads.children.length === 0) {
    for (const { lane, first } of shapes.lanes) {
      const head = element("button", { type: "button", class: `lane ${first ? "first" : ""}`, click: () => timeline.select(lane) },
        first && element("span", { class: "stage" }, visible(lane.stage)),
        element("span", { class: "name" }, visible(lane.name), " ", element("span", { class: "pid" }, String(lane.proc.pid))),
        lane.detail && element("span", { class: "detail" }, visible(lane.detail)));
      head.lane = lane;
      head.dataset.stage = trace.stages.includes(lane.stage) ? lane.stage : "other";
      heads.append(head);
    }
  }
  shapes.lanes.forEach((place, i) => {
    const { style } = heads.children[i];
    style.top = `${place.y}px`;
    style.height = `${place.height}px`;
  });
  heads.style.height = `${shapes.height}px`;
}

function tip(what, e) {
  const box = find("tip");
  box.hidden = !what;
  if (!what) return;
  const step = what.is === "span" && trace.steps.get(what.name);
  box.replaceChildren(
    element("code", {}, visible(what.is === "span" ? stepName(what) : `kernel.${what.kind}`)),
    element("span", {}, what.is === "span" ? ` ${formatDuration(what.end - what.start)}` : ` at ${formatTime(what.time)}`),
    ...(step ? [element("br"), step.title] : []));
  const left = Math.min(e.clientX + 14, innerWidth - box.offsetWidth - 8);
  const below = e.clientY + 18 + box.offsetHeight < innerHeight;
  box.style.left = `${Math.max(8, left)}px`;
  box.style.top = `${below ? e.clientY + 18 : e.clientY - box.offsetHeight - 10}px`;
}

function chooseAxis(kind) {
  timeline.setAxis(kind);
  for (const b of find("axes").children) b.setAttribute("aria-pressed", String(b.value === kind));
}

function showTable(on) {
  const place = find("table");
  if (on && place.children.length === 0) place.append(...flat(table(trace, (what) => { showTable(false); timeline.select(what); })));
  place.hidden = !on;
  find("picture").hidden = on;
  find("asTable").setAttribute("aria-pressed", String(on));
  if (on) place.focus();
  else timeline.redraw();
}

function showHelp(on) {
  find("help").hidden = !on;
  find("asHelp").setAttribute("aria-expanded", String(on));
  if (on) find("help").focus();
}

function close() {
  if (!find("help").hidden) return showHelp(false);
  if (!find("table").hidden) return showTable(false);
  timeline.select(null);
}

function start() {
  heading();
  const names = { squeezed: "gaps squeezed", real: "real time", events: "event by event" };
  find("axes").append(...AXES.map((kind) => element("button", { type: "button", value: kind, "aria-pressed": "false", click: () => chooseAxis(kind) }, names[kind])));
  find("keys").append(...KEYS.map(([, shown, says]) => element("div", {}, element("dt", {}, element("kbd", {}, shown)), element("dd", {}, says))));
  find("fit").addEventListener("click", () => timeline.fit());
  find("asTable").addEventListener("click", () => showTable(find("table").hidden));
  find("asHelp").addEventListener("click", () => showHelp(find("help").hidden));
  timeline.onDraw = gutter;
  timeline.onHover = tip;
  addEventListener("keydown", (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    const key = e.key.length === 1 ? e.key.toLowerCase() : e.key;
    if (key === "Enter" && e.target.closest?.("button, a")) return; // it has its own meaning there
    if (key.startsWith("Arrow") && e.target.closest?.("#panel, #table")) return;
    const found = KEYS.find(([keys]) => keys.includes(key));
    if (!found) return;
    e.preventDefault();
    found[3]();
  });
  addEventListener("resize", () => timeline.redraw());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { timeline.redraw(); onSelect(timeline.state.selected); });
  timeline.draw();
  chooseAxis(AXES[0]);
  timeline.fit();
  timeline.draw();
  const wanted = restore();
  if (wanted) timeline.select(wanted);
  else onSelect(null);
  document.body.dataset.ready = "yes";
}

start();
