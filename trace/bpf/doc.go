// Package bpf is the kernel's side of a trace: eight raw tracepoint programs (hull.c), their loading, and the decoding of what they
// say into names a reader knows. trace/collect calls it; it knows no step and no span.
//
// Raw tracepoints are used because they work where kprobes, fentry and LSM hooks are switched off, cost least to load, and attach in
// under a millisecond. Six of them (fork, exec, exit, signal, two on cgroups) stay attached while the tracer lives and cost nothing that can
// be measured; the two on system calls slow every system call of the machine by a tenth, and are attached only while a trace runs.
//
// Traps:
//   - the clock of all events is CLOCK_BOOTTIME in ns;
//   - a process is its pid and its start time; start_boottime in ns is field 22 of /proc/PID/stat in ticks of 10 ms;
//   - an event without a trace handle comes from a marked thread: its marker is the id of a span that has not ended yet.
//
// The objects are committed, so that building needs no clang; go generate makes them anew (clang 14, llvm-strip).
package bpf
