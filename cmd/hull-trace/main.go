// hull-trace collects the spans of an instance's programs and the kernel's events, and serves them as traces.
package main

import (
	"os"

	"hull/trace/collect"
)

func main() { os.Exit(collect.Main(os.Args[1:], os.Stderr)) }
