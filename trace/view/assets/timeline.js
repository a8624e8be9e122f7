import { AXES, axis, clamp } from "./time.js";
import { hit, layout, makeScene, reveal } from "./layout.js";
import { shownAt } from "./level.js";
import { readTheme } from "./theme.js";
import { RULER, drawRuler, drawScene, resize } from "./draw.js";

// Timeline is the picture and the reader's place in it: which part of the axis is seen, on which axis, on which level, what is selected. It
// draws at most once per frame, and only what is in sight. parts: {scroll, ruler, canvas, stage}; onSelect(what) is told of each choice.

const CLOSEST = 2e-6; // the smallest part of the axis that may fill the screen
const TALLEST = 16000; // the tallest canvas, in pixels, that a page is printed from

export class Timeline {
  constructor(trace, level, parts, onSelect) {
    this.trace = trace;
    this.parts = parts;
    this.onSelect = onSelect;
    this.view = { width: 0, from: -0.015, to: 1.03, top: 0, bottom: 0, measure: null };
    this.state = { selected: null, hovered: null, instant: null };
    this.shapes = null;
    this.due = false;
    this.last = null; // when what was selected last happened
    this.whole = false; // all lanes, not only those in sight: for printing
    this.setLevel(level, AXES[0]);
    this.listen();
  }

  // draw lays out and paints now.
  draw() {
    const { scroll, ruler, canvas, stage } = this.parts;
    if (scroll.clientWidth === 0) return; // another view is shown
    const theme = readTheme(document.body);
    const width = Math.max(scroll.clientWidth - stage.offsetLeft, 120);
    const height = clamp(this.whole ? this.scene.height : scroll.clientHeight - RULER, 60, TALLEST);
    const probe = canvas.getContext("2d");
    probe.font = theme.font;
    const widths = (this.widths ??= new Map());
    if (widths.size > 20000) widths.clear();
    this.view.measure = (text) => {
      if (!widths.has(text)) widths.set(text, probe.measureText(text).width);
      return widths.get(text);
    };
    this.view.width = width;
    this.view.top = this.whole ? 0 : scroll.scrollTop;
    this.view.bottom = this.view.top + height;
    stage.style.height = `${Math.max(this.scene.height, height)}px`;
    this.shapes = layout(this.scene, this.view);
    drawRuler(resize(ruler, width, RULER), this.scene.axis, this.view, theme);
    const c = resize(canvas, width, height);
    c.translate(0, -this.view.top);
    drawScene(c, this.scene, this.shapes, this.view, theme, this.state);
    const { bars, marks, arrows, lanes } = this.shapes;
    canvas.dataset.drawn = bars.length + marks.length + arrows.length + lanes.length;
    this.onDraw?.(this.shapes);
  }

  redraw() {
    if (this.due) return;
    this.due = true;
    requestAnimationFrame(() => {
      this.due = false;
      this.draw();
    });
  }

  show(from, to) {
    const width = clamp(to - from, CLOSEST, 1.3);
    const middle = clamp((from + to) / 2, -0.05, 1.05);
    this.view.from = middle - width / 2;
    this.view.to = middle + width / 2;
    this.redraw();
    this.onMove?.();
  }

  // showTimes is show by times in ns; times is what it shows, rounded outwards to what the axis has.
  showTimes(from, to) {
    this.show(this.scene.axis.place(from), this.scene.axis.place(to));
  }

  times() {
    return { from: this.scene.axis.time(this.view.from), to: this.scene.axis.time(this.view.to) };
  }

  fit() {
    this.show(-0.015, 1.03);
  }

  fits() {
    return Math.abs(this.view.from + 0.015) < 1e-9 && Math.abs(this.view.to - 1.03) < 1e-9;
  }

  // zoom keeps the place under x (pixels) where it is.
  zoom(factor, x = this.view.width / 2) {
    const { from, to, width } = this.view;
    const fixed = from + ((to - from) * x) / width;
    const size = clamp((to - from) * factor, CLOSEST, 1.3);
    this.show(fixed - (size * x) / width, fixed + size * (1 - x / width));
  }

  // pan moves by a part of what is seen.
  pan(part) {
    const { from, to } = this.view;
    this.show(from + (to - from) * part, to + (to - from) * part);
  }

  setAxis(kind) {
    const { from, to } = this.times();
    const all = this.fits();
    this.scene.axis = axis(kind, this.trace);
    if (all) this.fit();
    else this.showTimes(from, to);
  }

  setLevel(level, kind = this.scene.axis.kind) {
    this.scene = makeScene(this.trace, level, kind);
    const { spans, events } = shownAt(this.trace, level);
    this.steps = spans;
    this.events = events;
    this.redraw();
  }

  // select chooses a span, an event, a lane or nothing; what is not in sight is brought there.
  select(what, bring = true) {
    this.state.selected = what;
    if (what && what.is !== "lane") this.last = what.time ?? what.start;
    if (what && bring) this.bring(what);
    this.onSelect(what);
    this.redraw();
  }

  bring(what) {
    if (what.is !== "lane") {
      const from = what.is === "span" ? what.start : what.time;
      const to = what.is === "span" ? what.end : what.time;
      const { axis: map } = this.scene;
      const [left, right] = [map.place(from), map.place(to)];
      const size = this.view.to - this.view.from;
      const seen = left < this.view.to && right > this.view.from;
      const readable = ((right - left) / size) * this.view.width > 5 || what.is === "event";
      if (!seen || !readable) {
        const least = what.is === "event" ? size : Math.min(size, (right - left) * 20);
        const next = reveal(map, from, to, least);
        this.show(next.from, next.to);
      }
    }
    const place = this.scene.places.find((p) => p.lane.proc === what.proc);
    const { scroll } = this.parts;
    if (place && (place.y < scroll.scrollTop || place.y + place.height + RULER > scroll.scrollTop + scroll.clientHeight)) scroll.scrollTop = place.y - 60;
  }

  // step goes to the next (1) or previous (-1) of list, seen from what is selected or was selected last; at first from the run's ends.
  step(list, direction) {
    if (list.length === 0) return;
    const begin = (x) => x.time ?? x.start;
    const selected = this.state.selected;
    let at = list.indexOf(selected);
    if (at < 0) {
      const now = selected && selected.is !== "lane" ? begin(selected) : this.last ?? (direction > 0 ? -Infinity : Infinity);
      const after = list.findIndex((x) => begin(x) > now);
      at = direction > 0 ? (after < 0 ? list.length : after) - 1 : list.findIndex((x) => begin(x) >= now);
      if (at < 0 && direction < 0) at = list.length;
    }
    this.select(list[clamp(at + direction, 0, list.length - 1)]);
  }

  parent() {
    const what = this.state.selected;
    const up = what?.is === "span" ? what.parent : what?.is === "event" ? what.span : -1;
    return up >= 0 ? this.trace.spans[up] : null;
  }

  listen() {
    const { canvas, ruler, scroll } = this.parts;
    const place = (e) => [e.clientX - canvas.getBoundingClientRect().left, e.clientY - canvas.getBoundingClientRect().top + this.view.top];
    const wheel = (e) => {
      if (e.altKey) return; // the page's own scrolling
      e.preventDefault();
      const amount = e.deltaMode === 1 ? 16 : 1;
      if (e.shiftKey || Math.abs(e.deltaX) > Math.abs(e.deltaY)) this.pan(((e.deltaX || e.deltaY) * amount) / this.view.width);
      else this.zoom(Math.exp(clamp(e.deltaY * amount, -200, 200) * 0.0025), place(e)[0]);
    };
    canvas.addEventListener("wheel", wheel, { passive: false });
    ruler.addEventListener("wheel", wheel, { passive: false });
    scroll.addEventListener("scroll", () => this.redraw(), { passive: true });

    let drag = null;
    canvas.addEventListener("pointerdown", (e) => {
      if (e.button !== 0) return;
      drag = { x: e.clientX, y: e.clientY, from: this.view.from, to: this.view.to, top: scroll.scrollTop, moved: false };
      canvas.setPointerCapture(e.pointerId);
    });
    canvas.addEventListener("pointermove", (e) => {
      if (drag) {
        const [dx, dy] = [e.clientX - drag.x, e.clientY - drag.y];
        if (!drag.moved && Math.hypot(dx, dy) < 4) return;
        drag.moved = true;
        const shift = (dx / this.view.width) * (drag.to - drag.from);
        scroll.scrollTop = drag.top - dy;
        this.show(drag.from - shift, drag.to - shift);
        return;
      }
      if (this.shapes) this.hover(hit(this.shapes, ...place(e)), e);
    });
    const end = (e) => {
      if (drag && !drag.moved && e.type === "pointerup") this.select(hit(this.shapes, ...place(e)), false);
      drag = null;
    };
    canvas.addEventListener("pointerup", end);
    canvas.addEventListener("pointercancel", end);
    canvas.addEventListener("pointerleave", (e) => this.hover(null, e));
    canvas.addEventListener("dblclick", (e) => {
      const what = hit(this.shapes, ...place(e));
      if (what?.is !== "span") return;
      const next = reveal(this.scene.axis, what.start, what.end, CLOSEST);
      this.show(next.from, next.to);
    });
  }

  hover(what, e) {
    this.onHover?.(what, e);
    if (what === this.state.hovered) return;
    this.state.hovered = what;
    this.parts.canvas.classList.toggle("over", what !== null);
    this.redraw();
  }
}
