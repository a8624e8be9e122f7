package cli

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"hull/client/engine"
)

// processOptions are run's flags about the container's program: what is executed, as whom, where, and with which variables.
type processOptions struct {
	env           []string
	workdir, user string
	hostname      string
	entrypoint    optionalString
}

func (o *processOptions) define(f *pflag.FlagSet) {
	f.VarP(listValue{&o.env, checkEnv}, "env", "e", "Set environment variables")
	f.StringVarP(&o.workdir, "workdir", "w", "", "Working directory inside the container")
	f.StringVarP(&o.user, "user", "u", "", "Username or UID (format: <name|uid>[:<group|gid>])")
	f.StringVarP(&o.hostname, "hostname", "h", "", "Container host name")
	f.Var(&o.entrypoint, "entrypoint", "Overwrite the default ENTRYPOINT of the image")
}

func (o *processOptions) apply(body *engine.CreateRequest) error {
	body.Env, body.WorkingDir, body.User, body.Hostname = o.environment(), o.workdir, o.user, o.hostname
	if o.entrypoint.set {
		body.Entrypoint = []string{o.entrypoint.value} // [""] is how the API spells "none at all"
	}
	return nil
}

// environment is -e's values; NAME alone takes the client's own, and is left out if that has none.
func (o *processOptions) environment() []string {
	var env []string
	for _, e := range o.env {
		if !strings.Contains(e, "=") {
			value, ok := os.LookupEnv(e)
			if !ok {
				continue
			}
			e += "=" + value
		}
		env = append(env, e)
	}
	return env
}

func checkEnv(s string) (string, error) {
	if name, _, _ := strings.Cut(s, "="); name == "" {
		return "", fmt.Errorf("invalid environment variable: %s", s)
	}
	return s, nil
}
