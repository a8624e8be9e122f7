// Package cli is the command line of hull: docker's verbs and flags, one verb per file, and hull's own (up, down, status, trace).
// cmd/hull calls Main and nothing else does. It talks to the daemon through client/engine, prints, and chooses exit codes; it never
// does a container's work itself.
//
// Rules that all verbs keep:
//   - names, output and exit codes are docker's; what docker knows and hull does not offer is refused by name (refuse.go), never ignored;
//   - data goes to standard output, everything said to people to standard error;
//   - a failure is one line that names the thing and the way out; exit code 125 for a command line that was not understood, 1 for a verb
//     that failed, and for run 125, 126, 127 or the container's own (run.go).
package cli
