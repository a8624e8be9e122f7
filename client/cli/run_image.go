package cli

import (
	"github.com/spf13/pflag"

	"hull/client/engine"
)

// imageOptions are run's flags about how the image is found.
type imageOptions struct{}

func (o *imageOptions) define(*pflag.FlagSet) {}

func (o *imageOptions) apply(*engine.CreateRequest) error { return nil }
