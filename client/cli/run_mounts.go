package cli

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	"hull/client/engine"
)

// mountOptions are run's flags about what is mounted into the container.
type mountOptions struct{ binds []string }

func (o *mountOptions) define(f *pflag.FlagSet) {
	f.VarP(listValue{&o.binds, checkBind}, "volume", "v", "Bind mount a directory or file: /SOURCE:/TARGET[:ro]")
}

func (o *mountOptions) apply(body *engine.CreateRequest) error {
	body.HostConfig.Binds = o.binds
	return nil
}

// checkBind accepts SOURCE:TARGET[:MODE]. A source that begins with a dot is a path of the client and made absolute here, because the
// daemon does not know where the client stands. A bare word is the name of a volume.
func checkBind(s string) (string, error) {
	part := strings.SplitN(s, ":", 3)
	switch {
	case len(part) == 1:
		return "", fmt.Errorf("anonymous volumes are not offered yet (give /SOURCE:/TARGET)")
	case part[0] == "" || part[1] == "":
		return "", fmt.Errorf("empty section between colons")
	case !filepath.IsAbs(part[1]):
		return "", fmt.Errorf("invalid mount path: '%s' mount path must be absolute", part[1])
	case part[0] == "." || part[0] == ".." || strings.HasPrefix(part[0], "./") || strings.HasPrefix(part[0], "../"):
		abs, err := filepath.Abs(part[0])
		if err != nil {
			return "", err
		}
		part[0] = abs
	case strings.Contains(part[0], "/") && part[0][0] != '/':
		return "", fmt.Errorf("%q is no path (begin it with / or ./)", part[0])
	case part[0][0] != '/':
		return "", fmt.Errorf("named volumes are not offered yet (%q is no path: begin it with / or ./)", part[0])
	}
	return strings.Join(part, ":"), nil
}
