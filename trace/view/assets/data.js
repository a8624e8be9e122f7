// The trace as objects, decoded from the columns that columns.go wrote. Names and attributes come from foreign programs: they stay
// in Maps and arrays of pairs, never as keys of an object.

export function decode(doc) {
  const text = (i) => doc.strings[i];
  const pairs = (list) => {
    const out = [];
    for (let i = 0; i + 1 < list.length; i += 2) out.push([text(list[i]), text(list[i + 1])]);
    return out;
  };
  const procs = doc.procs.map(([pid, start], index) => ({ index, pid, start }));

  const s = doc.spans;
  const spans = (s.id ?? []).map((id, index) => ({
    is: "span", index, id: text(id), parent: s.parent[index], name: text(s.name[index]), instance: text(s.instance[index]),
    service: text(s.service[index]), proc: procs[s.proc[index]], tid: s.tid[index], start: s.start[index], end: s.end[index],
    error: text(s.error[index]), attrs: pairs(s.attrs[index]), links: s.links[index], claim: text(s.claim[index]),
    proof: text(s.proof[index]), evidence: s.evidence[index], because: text(s.because[index]), late: s.late[index],
    children: [], events: [],
  }));

  const e = doc.events;
  const events = (e.kind ?? []).map((kind, index) => ({
    is: "event", index, kind: text(kind), time: e.time[index], duration: e.duration[index], proc: procs[e.proc[index]],
    tid: e.tid[index], comm: text(e.comm[index]), call: text(e.call[index]), ret: e.ret[index], args: pairs(e.args[index]),
    span: e.span[index], guess: e.guess[index], proves: [],
  }));

  for (const span of spans) {
    if (span.parent === span.index) span.parent = -1;
    if (span.parent >= 0) spans[span.parent].children.push(span.index);
    span.evidence = span.evidence.filter((i) => events[i]);
    for (const i of span.evidence) events[i].proves.push(span.index);
  }
  for (const event of events) if (event.span >= 0) spans[event.span].events.push(event.index);

  const processes = doc.processes.map((p) => ({
    ...p, is: "process", proc: procs[p.proc], parents: p.parents.map((q) => ({ time: q.time, proc: procs[q.proc] })),
  }));
  const processOf = new Map(processes.map((p) => [p.proc, p]));
  return {
    took: spans.reduce((last, s) => Math.max(last, s.end), 0) || Math.max(1, doc.end), // the client may leave later, when it has shown the trace
    processOf, id: doc.id, command: doc.command ?? [], container: doc.container, date: new Date(doc.start), end: Math.max(1, doc.end),
    notes: doc.notes ?? [], lost: doc.lost, summary: doc.summary, stages: doc.stages, steps: new Map(Object.entries(doc.steps)),
    spans, events, processes, procs,
  };
}

// binaryAt is the name of the program that a process ran at a time: its last exec before it, or what it was forked with.
export function binaryAt(trace, proc, time) {
  const base = (path) => path.slice(path.lastIndexOf("/") + 1);
  let p = trace.processOf.get(proc);
  if (proc.pid === 1 && !(p && p.born >= 0)) return "init"; // by its part, whatever program plays it on that machine
  for (let turns = 0; p && turns < 8; turns++) {
    const ran = p.execs.filter((x) => x.time <= time);
    if (ran.length > 0) return base(ran[ran.length - 1].exe);
    if (p.execs.length === 0 && p.exe) return base(p.exe);
    const parent = p.parents.length > 0 && trace.processOf.get(p.parents[0].proc);
    if (!parent) return p.comm || base(p.exe);
    time = p.born;
    p = parent;
  }
  const span = trace.spans.find((s) => s.proc === proc);
  return span ? span.service : proc.pid === 1 ? "init" : "";
}

// processName is a process as people say it: "hull-runc 4740".
export function processName(trace, proc, time) {
  return `${binaryAt(trace, proc, time) || "pid"} ${proc.pid}`;
}

// stepName is a span's name with the instance that tells it from its like.
export function stepName(span) {
  return span.instance ? `${span.name} ${span.instance}` : span.name;
}

// visible shows characters that cannot be seen, or that would turn the text's direction, as escapes.
export function visible(text) {
  return String(text).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, (c) => `\\u{${c.codePointAt(0).toString(16)}}`);
}
