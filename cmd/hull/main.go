// Command hull is the client: docker's command line, spoken to hulld (or to dockerd) over the Engine API, and hull's own verbs around
// it: up, down, status, trace.
package main

import (
	"os"

	"hull/client/cli"
)

func main() { os.Exit(cli.Main(os.Args[1:])) }
