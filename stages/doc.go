// Package stages is the step catalogue: one ordered table of everything a container run does, read by every other part.
//
// A row of the table is at once a span name (trace/span takes a stages.ID and nothing else), a proof rule (hull-trace looks for the
// kernel's side of the row), an explanation (explain/<name>.md) and, later, a breakpoint, a fault point and a lab reference.
// The package also holds the other words that more than one binary must agree on: attribute keys (attr.go), the names of kernel
// events (event.go) and the kinds of error with their HTTP status, gRPC code and exit code (kind.go).
//
// It imports nothing of ours and no third-party module, so that the smallest binary can afford it.
//
// # Adding a step
//
//  1. a constant in id.go, at the place in the order where it happens;
//  2. its row in table.go: parent, stage, title, why, proof;
//  3. span.Start(ctx, stages.X) at the one place that does it;
//  4. explain/<name>.md;
//  5. go generate ./stages (docs/stages.md), and the golden traces.
//
// A test fails and names the move that is missing.
package stages

//go:generate go run ./explain/generate ../docs/stages.md
