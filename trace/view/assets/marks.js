// Marks: the signs of kernel events in a lane's strip. The kinds that tell the story get their glyph wherever they are; the others
// become ticks where they would crowd, and ticks on the same pixel become one.

const STORY = new Set(["clone", "exec", "exit", "reparent", "pivot_root", "unshare", "setns", "capset", "seccomp"]);
const NEAR = 9; // two glyphs are at least so far from each other

export function placeMarks(marks, lane, y, x, view) {
  let free = -Infinity; // up to here a glyph stands
  let tick = -Infinity;
  const story = lane.events.filter((e) => STORY.has(e.kind)).map((e) => x(e.time));
  let s = 0;
  for (const event of lane.events) {
    const place = x(event.time);
    if (place < -NEAR || place > view.width + NEAR) continue;
    while (s < story.length && story[s] < place) s++;
    const important = STORY.has(event.kind);
    const crowded = place - free < NEAR || (!important && s < story.length && story[s] - place < NEAR);
    const small = crowded && event.kind !== "reparent";
    if (small && place - tick < 1) continue;
    if (small) tick = place;
    else free = place;
    marks.push({ x: place, y, event, small });
  }
}
