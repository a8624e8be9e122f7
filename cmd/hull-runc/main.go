// hull-runc is the OCI runtime: it asks the kernel for namespaces, cgroups and mounts, and leaves.
package main

import (
	"os"

	"hull/runc/command"
)

func main() { os.Exit(command.Main(os.Args[1:])) }
