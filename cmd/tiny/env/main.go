// Command env prints the environment, or runs a program in a changed one (POSIX env).
//
//	env [-i] [NAME=VALUE ...] [PROGRAM [ARGUMENT ...]]
package main

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

func main() {
	empty := flag.Bool("i", false, "begin with an empty environment")
	flag.Parse()
	if *empty {
		os.Clearenv()
	}
	args := flag.Args()
	for len(args) > 0 && strings.Contains(args[0], "=") {
		name, value, _ := strings.Cut(args[0], "=")
		os.Setenv(name, value)
		args = args[1:]
	}
	if len(args) == 0 {
		for _, line := range os.Environ() {
			fmt.Println(line)
		}
		return
	}
	path, err := exec.LookPath(args[0])
	if err == nil {
		err = syscall.Exec(path, args, os.Environ())
	}
	fmt.Fprintln(os.Stderr, "env:", err)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, exec.ErrNotFound) {
		os.Exit(127)
	}
	os.Exit(126)
}
