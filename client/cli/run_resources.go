package cli

import (
	"github.com/spf13/pflag"

	"hull/client/engine"
)

// resourceOptions are run's flags about how much of the machine the container may have.
type resourceOptions struct {
	memory    memory
	cpus      cpus
	pidsLimit int64
}

func (o *resourceOptions) define(f *pflag.FlagSet) {
	f.VarP(&o.memory, "memory", "m", "Memory limit")
	f.Var(&o.cpus, "cpus", "Number of CPUs")
	f.Int64Var(&o.pidsLimit, "pids-limit", 0, "Tune container pids limit (set -1 for unlimited)")
}

func (o *resourceOptions) apply(body *engine.CreateRequest) error {
	h := &body.HostConfig
	h.Memory, h.NanoCpus = int64(o.memory), int64(o.cpus)
	if o.pidsLimit != 0 {
		h.PidsLimit = &o.pidsLimit
	}
	return nil
}
