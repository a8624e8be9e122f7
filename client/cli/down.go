package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/spf13/cobra"

	"hull/client/engine"
	"hull/stages/instance"
)

// longLived are the binaries that stay, in the order in which they are ended: the one that starts the others again goes first.
var longLived = []string{"hulld", "hull-containerd", "hull-trace"}

// patience is how long a binary may take to end, in milliseconds, before it is killed.
const patience = 10_000

// downCommand is `hull down`.
func (a *app) downCommand() *cobra.Command {
	var keep bool
	c := &cobra.Command{Use: "down [OPTIONS]", Short: "Stop the containers and the engine of this instance", Args: args(0, 0), DisableFlagsInUseLine: true}
	c.Flags().BoolVar(&keep, "keep", false, "Leave the containers running; the next hull up finds them again")
	c.RunE = func(c *cobra.Command, _ []string) error {
		inst, err := a.instance()
		if err != nil {
			return err
		}
		return a.down(c.Context(), inst, keep)
	}
	return c
}

func (a *app) down(ctx context.Context, inst instance.Instance, keep bool) error {
	engine.EndDebugged(ctx, inst.GateSocket()) // a run at a stop would wait for somebody to take it further
	if !keep {
		if err := a.stopAll(ctx, inst); err != nil {
			return err
		}
	}
	for _, name := range longLived {
		ended, err := endHolder(inst.PIDFile(name), patience)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if ended {
			fmt.Fprintln(a.out, name)
		}
	}
	for _, file := range []string{inst.APISocket(), inst.ContainerdSocket(), inst.ContainerdTTRPC(), inst.TraceSocket(), inst.SpanSocket(), inst.GateSocket()} {
		os.Remove(file)
	}
	for _, name := range longLived {
		os.Remove(inst.PIDFile(name))
	}
	if !keep {
		removeCgroups(inst)
	}
	return nil
}

// stopAll stops every running container, all at the same time. A daemon that died is started once more: only it can stop what it left.
func (a *app) stopAll(ctx context.Context, inst instance.Instance) error {
	client := engine.New(inst.APISocket())
	_, daemon, err := instance.Holder(inst.PIDFile("hulld"))
	if err != nil {
		return err
	}
	if !daemon {
		_, containerd, err := instance.Holder(inst.PIDFile("hull-containerd"))
		_, network := os.Stat(inst.NetworkState())
		if err != nil || !containerd && network != nil { // no container can live, and hulld left nothing in the kernel
			return err
		}
		if err := a.up(ctx, inst, nil); err != nil {
			return fmt.Errorf("%w; its containers cannot be stopped (hull down --keep ends the rest)", err)
		}
	}
	if err := client.Ping(ctx); err != nil {
		return err
	}
	list, err := client.List(ctx, engine.ListOptions{})
	if err != nil {
		return err
	}
	failures := make([]error, len(list))
	var wg sync.WaitGroup
	for i, c := range list {
		wg.Go(func() { failures[i] = client.Stop(ctx, c.ID, engine.StopOptions{Shutdown: true}) })
	}
	wg.Wait()
	for i, err := range failures {
		if err != nil && !engine.IsNotFound(err) {
			return fmt.Errorf("stop %s: %w (hull down --keep leaves it running)", shortID(list[i].ID), err)
		}
	}
	return nil
}

// removeCgroups removes the instance's own group from each hierarchy (rmdir(2): the kernel refuses while anything is in it).
func removeCgroups(inst instance.Instance) {
	name := inst.CgroupParent()
	dirs, _ := filepath.Glob("/sys/fs/cgroup/*" + name)
	for _, dir := range append(dirs, "/sys/fs/cgroup"+name) {
		os.Remove(dir)
	}
}
