package cli

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"hull/client/engine"
)

// processOptions are run's flags about the container's program: what is executed, as whom, where, with which variables, and how it is
// asked to end.
type processOptions struct {
	env, envFiles []string
	workdir, user string
	groupAdd      []string
	entrypoint    optionalString
	init          optionalBool
	stopSignal    string
	stopTimeout   optionalInt
	noHealthcheck bool
}

func (o *processOptions) define(f *pflag.FlagSet) {
	f.VarP(listValue{&o.env, checkEnv}, "env", "e", "Set environment variables")
	f.Var(listValue{&o.envFiles, nil}, "env-file", "Read in a file of environment variables")
	f.StringVarP(&o.workdir, "workdir", "w", "", "Working directory inside the container")
	f.StringVarP(&o.user, "user", "u", "", "Username or UID (format: <name|uid>[:<group|gid>])")
	f.Var(listValue{&o.groupAdd, nil}, "group-add", "Add additional groups to join")
	f.Var(&o.entrypoint, "entrypoint", "Overwrite the default ENTRYPOINT of the image")
	boolVar(f, &o.init, "init", "Run an init inside the container that forwards signals and reaps processes")
	f.StringVar(&o.stopSignal, "stop-signal", "", "Signal to stop the container")
	f.Var(&o.stopTimeout, "stop-timeout", "Timeout (in seconds) to stop a container")
	f.BoolVar(&o.noHealthcheck, "no-healthcheck", false, "Disable any container-specified HEALTHCHECK")
}

// boolVar defines a flag that may stand alone.
func boolVar(f *pflag.FlagSet, v *optionalBool, name, usage string) {
	f.Var(v, name, usage)
	f.Lookup(name).NoOptDefVal = "true"
}

func (o *processOptions) apply(body *engine.CreateRequest) error {
	env, err := readPairs(o.envFiles, os.LookupEnv)
	if err != nil {
		return err
	}
	body.Env = append(env, o.env...)
	body.WorkingDir, body.User, body.StopSignal, body.StopTimeout = o.workdir, o.user, o.stopSignal, o.stopTimeout.value
	body.HostConfig.GroupAdd, body.HostConfig.Init = o.groupAdd, o.init.value
	if o.entrypoint.set {
		body.Entrypoint = []string{o.entrypoint.value} // [""] is how the API spells "none at all"
	}
	if o.noHealthcheck {
		body.Healthcheck = &engine.Healthcheck{Test: []string{"NONE"}}
	}
	return nil
}

// checkEnv reads NAME=VALUE. NAME alone takes the client's own value; if that has none, the name goes to the daemon as it is, and takes
// the image's variable away.
func checkEnv(s string) (string, error) {
	name, _, assigns := strings.Cut(s, "=")
	if name == "" {
		return "", fmt.Errorf("invalid environment variable: %s", s)
	}
	if value, ok := os.LookupEnv(name); ok && !assigns {
		return name + "=" + value, nil
	}
	return s, nil
}
