import { element } from "./element.js";

// markdown shows the catalogue's explanations. It knows the little that they use: paragraphs, `code`, **bold**, and indented commands;
// everything else is text.

export function markdown(text) {
  const out = [];
  for (const block of text.split(/\n{2,}/)) {
    const lines = block.split("\n").filter((l) => l.trim() !== "");
    if (lines.length === 0) continue;
    if (lines.every((l) => l.startsWith("    "))) {
      out.push(element("pre", {}, element("code", {}, lines.map((l) => l.slice(4)).join("\n"))));
      continue;
    }
    out.push(element("p", {}, inline(lines.join(" "))));
  }
  return out;
}

function inline(text) {
  return text.split(/(`[^`]+`|\*\*[^*]+\*\*)/).map((part) => {
    if (part.length > 2 && part.startsWith("`")) return element("code", {}, part.slice(1, -1));
    if (part.length > 4 && part.startsWith("**")) return element("strong", {}, part.slice(2, -2));
    return part;
  });
}
