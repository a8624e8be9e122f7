package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"hull/client/engine"
)

// updateOptions are the limits that update can change.
type updateOptions struct {
	memory, reservation memory
	memorySwap          swap
	cpus                cpus
	pidsLimit           int64
	body                engine.UpdateRequest
	restart             restartPolicy
}

// updateCommand is `hull update`.
func (a *app) updateCommand() *cobra.Command {
	o := &updateOptions{}
	c := &cobra.Command{Use: "update [OPTIONS] CONTAINER [CONTAINER...]", Short: "Update configuration of one or more containers", Args: args(1, -1), DisableFlagsInUseLine: true}
	o.define(c.Flags())
	c.RunE = func(c *cobra.Command, names []string) error {
		if c.Flags().NFlag() == 0 {
			return said("you must provide one or more flags when using this command")
		}
		body := o.request(c.Flags())
		return a.each(c, names, func(ctx context.Context, client *engine.Client, name string) error {
			warnings, err := client.Update(ctx, name, body)
			if err != nil {
				return err
			}
			a.say(name)
			for _, w := range warnings {
				fmt.Fprintln(a.out, w)
			}
			return nil
		})
	}
	return c
}

func (o *updateOptions) define(f *pflag.FlagSet) {
	r := &o.body
	f.Uint16Var(&r.BlkioWeight, "blkio-weight", 0, "Block IO (relative weight), between 10 and 1000, or 0 to disable (default 0)")
	f.Int64Var(&r.CPUPeriod, "cpu-period", 0, "Limit CPU CFS (Completely Fair Scheduler) period")
	f.Int64Var(&r.CPUQuota, "cpu-quota", 0, "Limit CPU CFS (Completely Fair Scheduler) quota")
	f.Int64Var(&r.CPURealtimePeriod, "cpu-rt-period", 0, "Limit the CPU real-time period in microseconds")
	f.Int64Var(&r.CPURealtimeRuntime, "cpu-rt-runtime", 0, "Limit the CPU real-time runtime in microseconds")
	f.Int64VarP(&r.CPUShares, "cpu-shares", "c", 0, "CPU shares (relative weight)")
	f.Var(&o.cpus, "cpus", "Number of CPUs")
	f.StringVar(&r.CpusetCpus, "cpuset-cpus", "", "CPUs in which to allow execution (0-3, 0,1)")
	f.StringVar(&r.CpusetMems, "cpuset-mems", "", "MEMs in which to allow execution (0-3, 0,1)")
	f.VarP(&o.memory, "memory", "m", "Memory limit")
	f.Var(&o.reservation, "memory-reservation", "Memory soft limit")
	f.Var(&o.memorySwap, "memory-swap", "Swap limit equal to memory plus swap: -1 to enable unlimited swap")
	f.Int64Var(&o.pidsLimit, "pids-limit", 0, "Tune container pids limit (set -1 for unlimited)")
	f.Var(&o.restart, "restart", "Restart policy to apply when a container exits")
}

func (o *updateOptions) request(f *pflag.FlagSet) engine.UpdateRequest {
	r := o.body
	r.Memory, r.NanoCpus, r.MemoryReservation, r.MemorySwap = int64(o.memory), int64(o.cpus), int64(o.reservation), int64(o.memorySwap.memory)
	if f.Changed("pids-limit") {
		r.PidsLimit = &o.pidsLimit
	}
	r.RestartPolicy = engine.RestartPolicy(o.restart)
	return r
}
