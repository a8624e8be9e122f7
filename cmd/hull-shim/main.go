// How many processors its cgroup lets it use is nothing that so short a program has to read mountinfo for (Go 1.25, runtime).
//go:debug containermaxprocs=0

// hull-shim is one container's parent: it outlives every daemon, holds the container's streams, and knows how the container ended.
//
// It speaks containerd's shim v2 contract, and is installed for a real containerd as containerd-shim-hull-v2 (runtime io.containerd.hull.v2).
package main

import (
	"os"

	"hull/shim/command"
)

func main() { os.Exit(command.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }
