// Command hulld is the daemon: the Docker Engine API in front of containerd.
package main

import (
	"os"

	"hull/daemon"
)

func main() { os.Exit(daemon.Main(os.Args[1:], os.Stderr)) }
