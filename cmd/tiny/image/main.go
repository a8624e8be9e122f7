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
	names, err := namesOf(*program)
	if err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
	if err := pack(*program, *name, names, *out); err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

// namesOf asks the program for its names: cmd/tiny prints them, and ends with 127, if it is given none; busybox lists them.
func namesOf(program string) ([]string, error) {
	text, _ := exec.Command(program).CombinedOutput()
	if _, list, ok := strings.Cut(strings.TrimSpace(string(text)), ": one of: "); ok {
		return strings.Fields(strings.Trim(list, "[]")), nil
	}
	list, err := exec.Command(program, "--list").Output()
	if err != nil {
		return nil, fmt.Errorf("%s is neither cmd/tiny nor busybox: %w", program, err)
	}
	return strings.Fields(string(list)), nil
}
