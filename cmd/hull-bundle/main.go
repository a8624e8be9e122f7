// hull-bundle makes OCI bundles: a JSON order on standard input becomes one directory.
package main

import (
	"os"

	"hull/containerd/bundle/create"
)

func main() { os.Exit(create.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }
