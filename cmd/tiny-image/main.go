// Command tiny-image packs the program that cmd/tiny is built into as an image, in the form that `docker save` would write and `hull load` reads:
//
//	go run ./cmd/tiny-image -program bin/tiny -o bin/tiny.tar
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
	names, err := namesOf(*program)
	if err != nil {
		fmt.Fprintln(os.Stderr, "tiny-image:", err)
		os.Exit(1)
	}
	if err := pack(*program, *name, names, *out); err != nil {
		fmt.Fprintln(os.Stderr, "tiny-image:", err)
		os.Exit(1)
	}
}

// namesOf asks the program for its names. The one that cmd/tiny is built into lists them, one "- NAME" a line, when it is started under a name
// that it does not have; busybox has --list.
func namesOf(program string) ([]string, error) {
	text, _ := exec.Command(program).CombinedOutput()
	var names []string
	for line := range strings.Lines(string(text)) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "- "); ok {
			names = append(names, name)
		}
	}
	if len(names) > 0 {
		return names, nil
	}
	list, err := exec.Command(program, "--list").Output()
	if err != nil {
		return nil, fmt.Errorf("%s is neither cmd/tiny's program nor busybox: %w", program, err)
	}
	return strings.Fields(string(list)), nil
}
