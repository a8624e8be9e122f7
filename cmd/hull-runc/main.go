// How many processors its cgroup lets it use is nothing that so short a program has to read mountinfo for (Go 1.25, runtime).
//go:debug containermaxprocs=0

// hull-runc is the OCI runtime: it asks the kernel for namespaces, cgroups and mounts, and leaves.
package main

import (
	"os"

	"hull/runc/command"
)

func main() { os.Exit(command.Main(os.Args[1:])) }
