// hull-containerd supervises containers: containerd's gRPC API in front, one shim per container behind.
package main

import (
	"os"

	"hull/containerd/server"
)

func main() { os.Exit(server.Main(os.Args[1:], os.Stderr)) }
