import { processName, visible } from "./data.js";

// Telling: kernel events in words. Names come from the trace; they are made visible here, so that the sentences can be used as they are.

// tell is an event as a sentence.
export function tell(trace, event) {
  const who = visible(processName(trace, event.proc, event.time));
  const arg = (key) => event.args.find(([k]) => k === key)?.[1];
  const other = (pid) => visible(nameByPid(trace, Number(pid), event.time));
  switch (event.kind) {
    case "clone": return `${who} makes a process: ${arg("child") ?? event.ret}${/CLONE_NEW/.test(arg("flags") ?? "") ? ", in namespaces of its own" : ""}`;
    case "exec": return `${event.proc.pid} becomes ${visible(baseName(arg("exe") ?? event.comm))}`;
    case "exit": return `${who} ends with ${visible(arg("code") ?? String(event.ret))}`;
    case "reparent": return `${child(trace, event)} is given to ${other(arg("new"))}: its parent ${other(arg("old"))} has ended`;
    case "wait": return `${who} learns of the end of ${visible(arg("pid") ?? arg("child") ?? "a child")}`;
    case "signal": return `${who} sends ${visible(arg("signal") ?? "a signal")} to ${other(arg("target"))}`;
  }
  if (event.ret < 0) return `${who}: ${visible(call(event))}`;
  return `${who}: ${visible(short(event))}`;
}

// child is whom a reparenting moves. Real traces have it in the child's place; it may also be told from the dying parent's.
function child(trace, event) {
  const pid = event.args.find(([k]) => k === "child")?.[1] ?? event.proc.pid;
  return visible(nameByPid(trace, Number(pid), event.time));
}

// nameByPid is a process by its number, as it was at that time: numbers are used again.
export function nameByPid(trace, pid, time) {
  const p = byPid(trace, pid, time);
  return p ? processName(trace, p.proc, time) : pid === 1 ? "init 1" : `pid ${pid}`;
}

export function byPid(trace, pid, time) {
  let found = null;
  for (const p of trace.processes) if (p.proc.pid === pid && (p.born < 0 || p.born <= time)) found = p;
  return found;
}

function baseName(path) {
  return path.slice(path.lastIndexOf("/") + 1) || path;
}

// call is a kernel event as strace would print it.
export function call(event) {
  const args = event.args.map(([k, v]) => `${k}=${v}`).join(", ");
  return event.call ? `${event.call}(${args}) = ${event.ret}` : `${event.kind} ${args}`.trim();
}

// short is a call with the one argument that tells it from its like.
const TELLING = ["target", "path", "new", "name", "option", "resource", "flags", "signal", "fstype", "groups", "real"];

export function short(event) {
  const key = TELLING.find((k) => event.args.some(([name]) => name === k));
  const value = key === undefined ? "" : event.args.find(([name]) => name === key)[1];
  const errno = event.ret < 0 ? event.args.find(([name]) => name === "errno")?.[1] : undefined;
  return `${event.call || event.kind}(${value})${errno ? ` = ${errno}` : ""}`;
}
