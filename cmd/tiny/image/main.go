// Command image packs the program tiny into an image, as the archive that `docker save` would write and `hull load` reads:
//
//	go run ./cmd/tiny/image -program bin/tiny -o tiny.tar
//
// The same program gives the same archive, byte for byte.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

func main() {
	program := flag.String("program", "bin/tiny", "the static `program` to pack")
	out := flag.String("o", "tiny.tar", "the archive to write")
	name := flag.String("name", "hull/tiny:latest", "the image's name")
	flag.Parse()
	// The program itself knows its names: it prints them, and ends with 127, if it is given none.
	text, _ := exec.Command(*program).CombinedOutput()
	_, list, ok := strings.Cut(strings.TrimSpace(string(text)), ": one of: ")
	if !ok {
		fmt.Fprintf(os.Stderr, "image: %s is not cmd/tiny: %s\n", *program, text)
		os.Exit(1)
	}
	if err := pack(*program, *name, strings.Fields(strings.Trim(list, "[]")), *out); err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}
