// Package stdio is what stands between a container's three streams and whoever reads them: FIFOs that a supervisor made, a file, a
// logging program, or our own log and attach socket (docs/seams.md, section 2). shim/task opens a process's Streams; `hull-shim log …`
// serves a foreign shim with the same Log.
//
// Two rules run through it. The shim holds both ends of whatever it gives the container, so that no death outside the container ever breaks
// a pipe or ends an input. And nothing is dropped: a full pipe holds the container back, until its output has gone somewhere.
package stdio
