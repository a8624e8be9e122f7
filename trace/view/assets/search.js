import { stepName } from "./data.js";
import { call } from "./tell.js";

// search finds steps, kernel events and processes by their words: all of the words that are typed must be in it, in any order. Steps come
// first, then events, each in the order of time.

const MATCHES = 200;

export function search(trace, text, lanes) {
  const words = text.toLowerCase().split(/\s+/).filter((w) => w !== "");
  const found = { list: [], count: 0 };
  if (words.length === 0) return found;
  const take = (what, ...texts) => {
    const all = texts.join(" ").toLowerCase();
    if (!words.every((w) => all.includes(w))) return;
    if (found.list.length < MATCHES) found.list.push(what);
    found.count++;
  };
  for (const lane of lanes) take(lane, lane.name, lane.proc.pid, lane.stage, lane.detail, "process");
  for (const s of trace.spans) take(s, stepName(s), trace.steps.get(s.name)?.title ?? "", s.proof, s.service, s.proc.pid, s.error, s.because, ...s.attrs.flat());
  for (const e of trace.events) take(e, `kernel.${e.kind}`, call(e), e.comm, e.proc.pid);
  return found;
}
