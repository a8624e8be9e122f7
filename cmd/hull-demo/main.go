// Command hull-demo is `hull demo`: shows for a lecture. hull finds it beside itself and runs it.
package main

import (
	"os"

	"hull/client/demo"
)

func main() { os.Exit(demo.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }
