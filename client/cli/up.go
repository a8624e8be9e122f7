package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"hull/client/engine"
	"hull/stages"
	"hull/stages/instance"
)

// upCommand is `hull up`: it starts hulld, which starts or adopts hull-containerd and hull-trace, and leaves when the daemon answers.
func (a *app) upCommand() *cobra.Command {
	var trace, containerd, otlp, noKernel string
	var debug bool
	c := &cobra.Command{Use: "up [OPTIONS]", Short: "Start the engine of this instance, and leave it running", Args: args(0, 0), DisableFlagsInUseLine: true}
	c.Flags().StringVar(&trace, "trace", "never", "Which runs of any client are traced: always or never")
	c.Flags().StringVar(&containerd, "containerd", "", "Use the containerd that listens at this `address`, instead of starting hull-containerd")
	c.Flags().StringVar(&otlp, "otlp", "", "Push finished traces to this `endpoint`: http://HOST:4318, https://… or grpc://HOST:4317")
	c.Flags().StringVar(&noKernel, "no-kernel", "", "Trace without the kernel's side, for this `reason` (for demonstrations)")
	c.Flags().BoolVar(&debug, "debug", false, "Log more, allow faults, and record the spans of the libraries for HTTP and gRPC as well")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if trace != "always" && trace != "never" {
			return &exit{125, fmt.Errorf("invalid argument %q for \"--trace\" flag: use always or never", trace)}
		}
		inst, err := a.instance()
		if err != nil {
			return err
		}
		var flags []string
		if trace == "always" {
			flags = append(flags, "--trace=always")
		}
		if containerd != "" {
			flags = append(flags, "--containerd", containerd)
		}
		if otlp != "" {
			flags = append(flags, "--otlp", otlp)
		}
		if noKernel != "" {
			flags = append(flags, "--no-kernel", noKernel)
		}
		if debug {
			flags = append(flags, "--debug")
		}
		return a.up(c.Context(), inst, flags)
	}
	return c
}

func (a *app) up(ctx context.Context, inst instance.Instance, flags []string) error {
	client := engine.New(inst.APISocket())
	pid, running, err := instance.Holder(inst.PIDFile("hulld"))
	if err != nil {
		return err
	}
	if running {
		err = awaitDaemon(ctx, client, inst, pid)
	}
	// One that was killed just now holds its files until its last thread is gone (exit_files in kernel/exit.c), and so looked alive.
	if died := stages.KindOf(err) == stages.Unavailable && err != nil; !running || died {
		running = false
		if pid, err = startDaemon(inst, flags); err == nil {
			err = awaitDaemon(ctx, client, inst, pid)
		}
	}
	if err != nil {
		return err
	}
	if running {
		fmt.Fprintf(a.err, "hulld runs already (pid %d)\n", pid)
		if len(flags) > 0 {
			return fmt.Errorf("%s: not applied to a running daemon (hull down --keep, then hull up again)", strings.Join(flags, " "))
		}
	}
	fmt.Fprintln(a.out, "unix://"+inst.APISocket())
	return nil
}

// startDaemon starts hulld in a session of its own (setsid(2)), so that neither the terminal's signals nor its hang-up reach it. What it
// says goes to a log.
func startDaemon(inst instance.Instance, flags []string) (pid int, err error) {
	program, err := beside("hulld")
	if err != nil {
		return 0, err
	}
	if err := os.MkdirAll(inst.Lib, 0o700); err != nil {
		return 0, err
	}
	log, err := os.OpenFile(inst.LogFile("hulld"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, err
	}
	defer log.Close()
	null, err := os.Open(os.DevNull)
	if err != nil {
		return 0, err
	}
	defer null.Close()
	argv := []string{program}
	if inst.Root != "" {
		argv = append(argv, "--root", inst.Root)
	}
	p, err := os.StartProcess(program, append(argv, flags...), &os.ProcAttr{
		Dir: "/", Env: os.Environ(), Files: []*os.File{null, log, log}, Sys: &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		return 0, err
	}
	return p.Pid, nil
}

// beside finds a binary of ours: next to this one, where they are installed together, or in PATH.
func beside(name string) (string, error) {
	if self, err := os.Executable(); err == nil {
		path := filepath.Join(filepath.Dir(self), name)
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		if !filepath.IsAbs(dir) { // nor an empty one: whoever can write to the working directory would have us run his program (CVE-2020-27534)
			continue
		}
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return path, nil
		}
	}
	return "", &stages.Error{Kind: stages.NotFound, Thing: name, Err: errors.New("not beside hull and not in PATH"), Hint: "install the hull binaries into one directory"}
}

// awaitDaemon returns when the daemon answers, or when it cannot any more because process pid has ended; then the log's last line tells
// why. A daemon that is still restoring containers is slow, not dead, so there is no time limit.
func awaitDaemon(ctx context.Context, client *engine.Client, inst instance.Instance, pid int) error {
	for {
		err := client.Ping(ctx)
		if err == nil {
			return nil
		}
		// WNOHANG: reap our child if it has ended, and find ECHILD for a daemon that is not our child.
		var status syscall.WaitStatus
		got, waitErr := syscall.Wait4(pid, &status, syscall.WNOHANG, nil)
		ended := got == pid
		if waitErr != nil {
			_, alive, _ := instance.Holder(inst.PIDFile("hulld"))
			ended = !alive
		}
		if ended {
			return &stages.Error{
				Kind: stages.Unavailable, Thing: "hulld", Err: fmt.Errorf("it ended at once: %s", lastLine(inst.LogFile("hulld"))),
				Hint: "its whole log: " + inst.LogFile("hulld"),
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// lastLine is a log's last line that is not empty.
func lastLine(file string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if last := lines[len(lines)-1]; last != "" {
		return last
	}
	return "it logged nothing"
}
