package cli

import (
	"github.com/spf13/pflag"

	"hull/client/engine"
)

// isolationOptions are run's flags about what separates the container from the host: namespaces, capabilities, filters.
type isolationOptions struct{}

func (o *isolationOptions) define(*pflag.FlagSet) {}

func (o *isolationOptions) apply(*engine.CreateRequest) error { return nil }
