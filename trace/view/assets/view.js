import { AXES, axis, clamp } from "./time.js";
import { hit, layout, reveal } from "./layout.js";
import { readTheme } from "./theme.js";
import { RULER, drawRuler, drawScene, resize } from "./draw.js";

// Timeline is the picture and the reader's place in it: which part of the axis is seen, on which axis, what is selected. It draws at
// most once per frame. parts: {scroll, ruler, canvas, tip}; onSelect(what) is told of each choice.

const CLOSEST = 2e-6; // the smallest part of the axis that may fill the screen

export class Timeline {
  constructor(trace, lanes, parts, onSelect) {
    this.trace = trace;
    this.parts = parts;
    this.onSelect = onSelect;
    this.scene = { trace, lanes, axis: axis(AXES[0], trace) };
    this.view = { width: 0, from: -0.015, to: 1.03, measure: null };
    this.state = { selected: null, hovered: null };
    this.shapes = null;
    this.due = false;
    // What "next" and "previous" walk through.
    this.stops = [...trace.events, ...trace.spans].sort((a, b) => (a.time ?? a.start) - (b.time ?? b.start));
    this.listen();
  }

  // draw lays out and paints now.
  draw() {
    const { scroll, ruler, canvas } = this.parts;
    const theme = readTheme(document.body);
    const width = Math.max(scroll.clientWidth - canvas.parentElement.offsetLeft, 120);
    const probe = canvas.getContext("2d");
    probe.font = theme.font;
    const widths = new Map();
    this.view.measure = (text) => {
      if (!widths.has(text)) widths.set(text, probe.measureText(text).width);
      return widths.get(text);
    };
    this.view.width = width;
    this.shapes = layout(this.scene, this.view);
    drawRuler(resize(ruler, width, RULER), this.scene.axis, this.view, theme);
    drawScene(resize(canvas, width, this.shapes.height), this.scene, this.shapes, this.view, theme, this.state);
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
  }

  fit() {
    this.show(-0.015, 1.03);
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
    const [first, last] = [this.scene.axis.time(this.view.from), this.scene.axis.time(this.view.to)];
    this.scene.axis = axis(kind, this.trace);
    this.show(this.scene.axis.place(first), this.scene.axis.place(last));
  }

  // select chooses a span, an event, a lane or nothing; what is not in sight is brought there.
  select(what, bring = true) {
    this.state.selected = what;
    if (what && bring && what.is !== "lane") this.bring(what);
    this.redraw();
    this.onSelect(what);
  }

  bring(what) {
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
    const place = this.shapes?.lanes.find((p) => p.lane.proc === what.proc);
    if (place) {
      const { scroll } = this.parts;
      const top = place.y;
      if (top < scroll.scrollTop || top + place.height + RULER > scroll.scrollTop + scroll.clientHeight) scroll.scrollTop = top - 60;
    }
  }

  step(direction) {
    const at = this.stops.indexOf(this.state.selected);
    if (this.stops.length === 0) return;
    const next = at < 0 ? (direction > 0 ? 0 : this.stops.length - 1) : clamp(at + direction, 0, this.stops.length - 1);
    this.select(this.stops[next]);
  }

  parent() {
    const what = this.state.selected;
    const up = what?.is === "span" ? what.parent : what?.is === "event" ? what.span : -1;
    if (up >= 0) this.select(this.trace.spans[up]);
  }

  listen() {
    const { canvas, ruler, scroll } = this.parts;
    const place = (e) => [e.clientX - canvas.getBoundingClientRect().left, e.clientY - canvas.getBoundingClientRect().top];
    const wheel = (e) => {
      if (e.altKey) return; // the page's own scrolling
      e.preventDefault();
      const amount = e.deltaMode === 1 ? 16 : 1;
      if (e.shiftKey || Math.abs(e.deltaX) > Math.abs(e.deltaY)) this.pan(((e.deltaX || e.deltaY) * amount) / this.view.width);
      else this.zoom(Math.exp(clamp(e.deltaY * amount, -200, 200) * 0.0025), place(e)[0]);
    };
    canvas.addEventListener("wheel", wheel, { passive: false });
    ruler.addEventListener("wheel", wheel, { passive: false });

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
      this.hover(hit(this.shapes, ...place(e)), e);
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
