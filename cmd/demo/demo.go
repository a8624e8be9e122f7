package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"hull/client/engine"
	"hull/stages/instance"
)

const (
	root = ".hull/demo" // the engine's own directory, made and removed here
	out  = "demo"       // where the trace is left
)

// demo runs the whole of it. Whatever happens, the engine is stopped and its directory removed.
func demo() (err error) {
	if os.Geteuid() != 0 {
		return errors.New("containers need root: sudo make demo")
	}
	if err := clean(); err != nil { // what an interrupted demo left
		return err
	}
	defer func() { err = errors.Join(err, clean()) }()
	for _, dir := range []string{root, out} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	if err := hull("up"); err != nil {
		return err
	}
	files := []string{filepath.Join(out, "trace.json"), filepath.Join(out, "trace.html")}
	for _, f := range files {
		os.Remove(f)
	}
	if err := hull("run", "--rm", "--network", "none", "--trace", "--trace-out", files[0], "--trace-out", files[1], "hull/tiny", "echo", "hello from a container"); err != nil {
		return err
	}
	sum, err := newest()
	if err != nil {
		return err
	}
	for _, f := range files {
		if info, err := os.Stat(f); err != nil || info.Size() == 0 {
			return fmt.Errorf("%s was not written: %v", f, err)
		}
	}
	fmt.Printf("\n%s   open it in a browser: claims beside proofs, one lane per process\n%s   open it in Jaeger's web page: Search, JSON File\n\n", files[1], files[0])
	if err := clean(); err != nil {
		return err
	}
	return lastLine(sum)
}

// lastLine prints the trace in numbers, and ends with 1 if something is missing in them. Steps that are claimed and not proved are told and are
// no failure of the demo: the line says how many there are.
func lastLine(s engine.Summary) error {
	reparented := "no"
	if s.Reparented == "hull-shim" {
		reparented = "yes"
	}
	fmt.Printf("demo: %d steps, %d proved, %d unproved, %d kernel events, %d lost, container reparented to hull-shim: %s\n",
		s.Steps, s.Proved, s.Unproved, s.KernelEvents, s.Lost, reparented)
	if s.Steps == 0 || s.Proved == 0 || s.KernelEvents == 0 || s.Lost > 0 || reparented == "no" {
		os.Exit(1) // the line itself says what is missing
	}
	return nil
}

// newest is the summary of the run just made.
func newest() (engine.Summary, error) {
	inst, err := instance.At(root)
	if err != nil {
		return engine.Summary{}, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	list, err := engine.Tracer{Socket: inst.TraceSocket()}.List(ctx)
	if err == nil && len(list) == 0 {
		err = errors.New("the run left no trace")
	}
	if err != nil {
		return engine.Summary{}, err
	}
	return list[0], nil
}

// clean stops the engine, if one is there, and removes its directory.
func clean() error {
	if _, err := os.Stat(root); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err := hull("down"); err != nil {
		return err
	}
	return os.RemoveAll(root)
}

func hull(args ...string) error { return run("bin/hull", append([]string{"--root", root}, args...)...) }

// run runs a command in front of the reader's eyes.
func run(name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = nil, os.Stdout, os.Stderr
	fmt.Println("$", cmd.String())
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w", cmd, err)
	}
	return nil
}
