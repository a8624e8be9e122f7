// Command sh is the shell of hull/tiny: mvdan.cc/sh, which speaks POSIX sh and most of bash.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"golang.org/x/term"
	"mvdan.cc/sh/v3/interp"
	"mvdan.cc/sh/v3/syntax"
)

func main() {
	command := flag.String("c", "", "run these `commands`")
	errexit := flag.Bool("e", false, "end at the first failure")
	xtrace := flag.Bool("x", false, "show each command before it runs")
	flag.Bool("i", false, "interactive; so it is anyway on a terminal")
	flag.Bool("l", false, "login shell: no difference here")
	flag.Parse()
	os.Exit(code(run(*command, *errexit, *xtrace, flag.Args())))
}

func run(command string, errexit, xtrace bool, args []string) error {
	var options []string
	for option, on := range map[string]bool{"-e": errexit, "-x": xtrace} {
		if on {
			options = append(options, option)
		}
	}
	runner, err := interp.New(interp.StdIO(os.Stdin, os.Stdout, os.Stderr))
	if err != nil {
		return err
	}
	set := func(arguments []string) { interp.Params(append(append(options, "--"), arguments...)...)(runner) }
	switch {
	case command != "":
		set(args[min(1, len(args)):]) // the word after the commands is $0
		return parse(runner, strings.NewReader(command), "sh -c")
	case len(args) > 0:
		f, err := os.Open(args[0])
		if err != nil {
			return err
		}
		defer f.Close()
		set(args[1:])
		return parse(runner, f, args[0])
	case term.IsTerminal(int(os.Stdin.Fd())):
		return interact(runner)
	default:
		set(nil)
		return parse(runner, os.Stdin, "stdin")
	}
}

func parse(runner *interp.Runner, r io.Reader, name string) error {
	program, err := syntax.NewParser().Parse(r, name)
	if err != nil {
		return err
	}
	runner.Reset()
	return runner.Run(context.Background(), program)
}

// interact reads a line, runs it, and goes on until the input ends or somebody says exit. A signal from the keyboard ends the line, not the shell.
func interact(runner *interp.Runner) error {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT)
	prompt := "$ "
	if os.Getuid() == 0 {
		prompt = "# "
	}
	fmt.Print(prompt)
	var last error
	parser := syntax.NewParser()
	err := parser.Interactive(os.Stdin, func(stmts []*syntax.Stmt) bool {
		if parser.Incomplete() {
			fmt.Print("> ")
			return true
		}
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan struct{})
		go func() {
			select {
			case <-signals:
				cancel()
			case <-done:
			}
		}()
		for _, stmt := range stmts {
			last = runner.Run(ctx, stmt)
			if runner.Exited() {
				break
			}
			if last != nil {
				code(last) // says what is not only a command's exit code
			}
		}
		close(done)
		cancel()
		if runner.Exited() {
			return false
		}
		fmt.Print(prompt)
		return true
	})
	if err != nil {
		return err
	}
	return last
}

// code prints an error that is more than an exit code, and gives the exit code.
func code(err error) int {
	var status interp.ExitStatus
	switch {
	case err == nil:
		return 0
	case errors.As(err, &status):
		return int(status)
	}
	fmt.Fprintln(os.Stderr, "sh:", err)
	return 2
}
