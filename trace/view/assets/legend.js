import { FAMILIES } from "./glyph.js";
import { element } from "./element.js";
import { glyph } from "./panel.js";

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
      sample("request", "a request to a process that was there before; dotted: its reply"),
      sample("signal", "a signal, from the sender to the receiver"),
      sample("reparent", "reparenting: the child has another parent from here on"),
      sample("gap", "a stretch in which nothing happens, drawn shorter than it was")),
    element("h3", {}, "What the kernel saw"),
    element("ul", { class: "legend glyphs" }, FAMILIES.map((f) => element("li", {}, glyph(f.kinds[0]), element("span", {}, element("b", {}, f.name), " ", f.says)))),
  ];
}
