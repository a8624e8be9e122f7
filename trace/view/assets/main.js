import { decode } from "./data.js";
import { AXES } from "./time.js";
import { LEVELS, levelOf } from "./level.js";
import { search } from "./search.js";
import { readPlace, writePlace } from "./place.js";
import { element } from "./element.js";
import { eventPanel, lanePanel, spanPanel } from "./panel.js";
import { legend } from "./legend.js";
import { Table } from "./table.js";
import { TreeView } from "./treeview.js";
import { Timeline } from "./timeline.js";
import { Gutter, find, heading, nameOf, showFound, tip } from "./page.js";

// The page: which view is shown, which key does what, and what the address remembers.

const trace = decode(JSON.parse(find("trace").textContent));
const VIEWS = ["timeline", "tree", "table"];
const NAMES = {
  timeline: "timeline", tree: "tree", table: "table", story: "story", stages: "stages", calls: "system calls",
  squeezed: "squeezed", real: "real time", events: "by event",
};
let view = "timeline";
let level = LEVELS[0];

const timeline = new Timeline(trace, level, { scroll: find("scroll"), ruler: find("ruler"), canvas: find("canvas"), stage: find("stage") }, onSelect);
const tree = new TreeView(trace, { rows: find("treeRows"), says: find("treeSays"), asks: find("treeAsks") }, (proc) => selectProcess(proc));
const table = new Table(trace, find("table"), (what) => { setView("timeline"); select(what); });
const gutter = new Gutter(trace, (lane) => select(lane));

const KEYS = [
  [["."], ".", "next kernel event", () => stepEvent(1)],
  [[","], ",", "previous kernel event", () => stepEvent(-1)],
  [["j"], "J", "next step", () => timeline.step(timeline.steps, 1)],
  [["k"], "K", "previous step", () => timeline.step(timeline.steps, -1)],
  [["p"], "P", "to the step it happens inside of", () => timeline.parent() && select(timeline.parent())],
  [[" "], "Space", "play, event by event; again: stop", () => play(!playing)],
  [["w", "+", "="], "W or +", "zoom in", () => timeline.zoom(0.7)],
  [["s", "-"], "S or −", "zoom out", () => timeline.zoom(1 / 0.7)],
  [["a", "ArrowLeft"], "A or ←", "go left", () => timeline.pan(-0.15)],
  [["d", "ArrowRight"], "D or →", "go right", () => timeline.pan(0.15)],
  [["f"], "F", "fit: the whole run", () => timeline.fit()],
  [["1"], "1", "timeline", () => setView("timeline")],
  [["2"], "2", "process tree", () => setView("tree")],
  [["3", "t"], "3 or T", "everything as a table", () => setView(view === "table" ? "timeline" : "table")],
  [["l"], "L", "next level of detail", () => setLevel(after(LEVELS, level))],
  [["x"], "X", "next kind of time axis", () => setAxis(after(AXES, timeline.scene.axis.kind))],
  [["c"], "C", "colours: system, light, dark", () => setScheme(after(SCHEMES, scheme))],
  [["/"], "/", "search", () => find("search").focus()],
  [["Enter"], "Enter", "read what is selected", () => find("panel").focus()],
  [["Escape"], "Esc", "close, select nothing", () => close()],
  [["?"], "?", "these keys", () => showHelp(find("help").hidden)],
];

function after(list, now) {
  return list[(list.indexOf(now) + 1) % list.length];
}

// ---- selecting

const PANELS = { span: spanPanel, event: eventPanel, lane: lanePanel };

// select chooses a span, an event, a lane or nothing; what this level does not show brings its own.
function select(what) {
  if (what && levelOf(trace, what) > LEVELS.indexOf(level)) setLevel(LEVELS[levelOf(trace, what)]);
  timeline.select(what);
}

function selectProcess(proc) {
  const place = timeline.scene.places.find((p) => p.lane.proc === proc);
  if (place) select(place.lane);
}

function onSelect(what) {
  const panel = find("panel");
  panel.replaceChildren(...flat(what ? PANELS[what.is](trace, what, (next) => select(next)) : legend()));
  panel.scrollTop = 0;
  find("said").textContent = nameOf(trace, what);
  if (what && what.is !== "lane") timeline.state.instant = Math.max(0, what.time ?? what.start);
  if (view === "table" && what && what.is !== "lane") table.show(table.page, what);
  showTree();
  remember();
}

function showTree() {
  const what = timeline.state.selected;
  const { instant } = timeline.state;
  const now = what && what.is !== "lane" ? what : trace.events.find((e) => e.kind === "reparent" && e.time === instant) ?? null;
  tree.show(instant, now, what?.proc ?? null);
}

function flat(list) {
  return list.flat(Infinity).filter((x) => x !== null && x !== undefined && x !== false);
}

// stepEvent goes from event to event; where the kernel side is absent, from step to step.
function stepEvent(direction) {
  timeline.step(timeline.events.length > 0 ? timeline.events : timeline.steps, direction);
}

let playing = 0;

function play(on) {
  clearInterval(playing);
  playing = on ? setInterval(() => {
    const before = timeline.state.selected;
    stepEvent(1);
    if (timeline.state.selected === before) play(false); // the last one
  }, 900) : 0;
  find("play").setAttribute("aria-pressed", String(on));
}

// ---- the address

let remembering = 0;

// remember puts the reader's place into the address; at most some times a second, or the browser complains.
function remember() {
  if (remembering) return;
  remembering = setTimeout(() => {
    remembering = 0;
    const what = timeline.state.selected;
    const range = timeline.fits() ? {} : timeline.times();
    const place = {
      view: view === "timeline" ? null : view, axis: timeline.scene.axis.kind === AXES[0] ? null : timeline.scene.axis.kind, level: level === LEVELS[0] ? null : level,
      ...range, span: what?.is === "span" ? what.id : null, event: what?.is === "event" ? what.index : null, lane: what?.is === "lane" ? what.proc.index : null,
    };
    try {
      history.replaceState(null, "", writePlace(place));
    } catch {
      // Some browsers give a page from disk no history; nothing is lost.
    }
  }, 120);
}

function restore() {
  const place = readPlace(location.hash);
  if (place.level) setLevel(place.level);
  if (place.axis) setAxis(place.axis);
  const what = place.span !== undefined ? trace.spans.find((s) => s.id === place.span) : place.event !== undefined ? trace.events[place.event] : null;
  if (what) select(what);
  else if (place.lane !== undefined && trace.procs[place.lane]) selectProcess(trace.procs[place.lane]);
  if (place.from !== undefined && place.to !== undefined) timeline.showTimes(place.from, place.to);
  if (place.view) setView(place.view);
}

// ---- what is shown

function press(group, value) {
  for (const b of find(group).children) b.setAttribute("aria-pressed", String(b.value === value));
}

function setView(next) {
  view = next;
  document.body.dataset.view = view;
  press("views", view);
  if (view === "table") {
    table.show(0, timeline.state.selected);
    find("table").focus();
  }
  timeline.redraw();
  remember();
}

function setLevel(next) {
  level = next;
  timeline.setLevel(level);
  press("levels", level);
  find("levels").title = `${timeline.steps.length} of ${trace.spans.length} steps, ${timeline.events.length} of ${trace.events.length} kernel events`;
  remember();
}

function setAxis(kind) {
  timeline.setAxis(kind);
  press("axes", kind);
  remember();
}

const SCHEMES = ["system", "light", "dark"];
const dark = matchMedia("(prefers-color-scheme: dark)");
let scheme = SCHEMES[0];

function setScheme(next) {
  scheme = next;
  paint(scheme === "system" ? (dark.matches ? "dark" : "light") : scheme);
  find("scheme").replaceChildren(element("span", { "aria-hidden": "true" }, { system: "◐", light: "○", dark: "●" }[scheme]), ` ${scheme}`);
  find("scheme").setAttribute("aria-label", `Colours: ${scheme}`);
}

// paint sets the colours that the style sheet uses. The signs in the panel are drawn in them: it is made anew.
function paint(colours) {
  document.documentElement.dataset.scheme = colours;
  if (!timeline.shapes) return;
  timeline.redraw();
  onSelect(timeline.state.selected);
}

let opener = null; // what had the focus before the help was shown

function showHelp(on) {
  if (on) opener = document.activeElement;
  find("help").hidden = !on;
  find("asHelp").setAttribute("aria-expanded", String(on));
  (on ? find("help") : opener ?? find("canvas")).focus();
}

function close() {
  play(false);
  if (!find("help").hidden) return showHelp(false);
  if (document.activeElement === find("search")) {
    find("search").value = "";
    look();
    return find("canvas").focus();
  }
  if (find("panel").contains(document.activeElement)) return find("canvas").focus();
  if (view !== "timeline") return setView("timeline");
  select(null);
}

function look() {
  const text = find("search").value;
  showFound(trace, search(trace, text, timeline.scene.lanes), text, (what) => {
    find("found").hidden = true;
    select(what);
    find("canvas").focus();
  });
}

// ---- keys, pointers, print

function onKey(e) {
  if (e.ctrlKey || e.metaKey || e.altKey) return;
  const inSearch = e.target === find("search");
  if (inSearch && e.key === "Enter") return find("found").querySelector("button")?.click();
  if (inSearch && e.key === "ArrowDown") return find("found").querySelector("button")?.focus();
  if (inSearch && e.key !== "Escape") return;
  const key = e.key.length === 1 ? e.key.toLowerCase() : e.key;
  if ((key === "Enter" || key === " ") && e.target.closest?.("button, a")) return; // it has its own meaning there
  if (key.startsWith("Arrow") && e.target.closest?.("#panel, #table, #found")) return;
  const found = KEYS.find(([keys]) => keys.includes(key));
  if (!found) return;
  e.preventDefault();
  found[3]();
}

// A printed page is light, whole, and shows what the screen shows.
function print(on) {
  timeline.whole = on;
  paint(on ? "light" : document.documentElement.dataset.scheme);
  if (!on) setScheme(scheme);
  timeline.draw();
}

function choices(id, list, choose) {
  find(id).append(...list.map((value) => element("button", { type: "button", value, "aria-pressed": "false", click: () => choose(value) }, NAMES[value])));
}

// firstInstant is the moment whose tree is shown at first: the container's first process has just got its new parent, or the middle of the run.
function firstInstant() {
  const moved = trace.processes.find((p) => p.nspid === 1 && p.parents.length > 1);
  return moved ? moved.parents[1].time : trace.end / 2;
}

function start() {
  heading(trace);
  choices("views", VIEWS, setView);
  choices("levels", LEVELS, setLevel);
  choices("axes", AXES, setAxis);
  setScheme(scheme);
  find("keys").append(...KEYS.map(([, shown, says]) => element("div", {}, element("dt", {}, element("kbd", {}, shown)), element("dd", {}, says))));
  find("fit").addEventListener("click", () => timeline.fit());
  find("play").addEventListener("click", () => play(!playing));
  find("scheme").addEventListener("click", () => setScheme(after(SCHEMES, scheme)));
  find("asHelp").addEventListener("click", () => showHelp(find("help").hidden));
  find("search").addEventListener("input", look);
  timeline.onDraw = (shapes) => gutter.show(shapes, timeline.state.selected);
  timeline.onHover = (what, e) => tip(trace, what, e);
  timeline.onMove = remember;
  addEventListener("keydown", onKey);
  addEventListener("resize", () => timeline.redraw());
  addEventListener("hashchange", restore);
  addEventListener("beforeprint", () => print(true));
  addEventListener("afterprint", () => print(false));
  dark.addEventListener("change", () => setScheme(scheme));
  timeline.state.instant = firstInstant();
  const place = location.hash; // before anything is remembered
  setLevel(level);
  setAxis(AXES[0]);
  setView(view);
  timeline.fit();
  timeline.draw();
  timeline.select(null);
  if (place.length > 1) restore();
  document.body.dataset.ready = "yes";
}

start();
