package cli

import (
	"github.com/spf13/pflag"

	"hull/client/engine"
)

// lifeOptions are run's flags about the container's name and what becomes of it at its end.
type lifeOptions struct {
	name string
	rm   bool
}

func (o *lifeOptions) define(f *pflag.FlagSet) {
	f.StringVar(&o.name, "name", "", "Assign a name to the container")
	f.BoolVar(&o.rm, "rm", false, "Automatically remove the container and its associated anonymous volumes when it exits")
}

func (o *lifeOptions) apply(body *engine.CreateRequest) error {
	body.HostConfig.AutoRemove = o.rm
	return nil
}
