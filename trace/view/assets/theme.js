// The colours, from the style sheet: one per stage (Okabe and Ito's palette, told apart by all common kinds of colour vision), and the
// paper and ink of the light or dark scheme. Colour never stands alone: the fill says proved or not, glyphs have shapes.

const STAGES = new Set(["client", "daemon", "containerd", "bundle", "shim", "runc", "container"]);

export function readTheme(element) {
  const style = getComputedStyle(element);
  const read = (name) => style.getPropertyValue(name).trim();
  const stages = new Map();
  for (const stage of STAGES) stages.set(stage, { fill: read(`--${stage}`), text: read(`--on-${stage}`), line: read(`--line-${stage}`) });
  const other = { fill: read("--other"), text: read("--on-other"), line: read("--line-other") };
  return {
    stage: (name) => stages.get(name) ?? other,
    paper: read("--paper"), ink: read("--ink"), soft: read("--soft"), faint: read("--faint"), hair: read("--hair"), band: read("--band"),
    alarm: read("--alarm"), accent: read("--accent"), font: read("--label-font"), mono: read("--call-font"),
  };
}
