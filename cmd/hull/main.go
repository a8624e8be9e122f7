// How many processors its cgroup lets it use is nothing that so short a program has to read mountinfo for (Go 1.25, runtime).
//go:debug containermaxprocs=0

// Command hull is the client: docker's command line, spoken to hulld (or to dockerd) over the Engine API, and hull's own verbs around
// it: up, down, status, trace.
package main

import (
	"os"

	"hull/client/cli"
)

func main() { os.Exit(cli.Main(os.Args[1:])) }
