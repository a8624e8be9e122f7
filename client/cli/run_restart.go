package cli

import (
	"errors"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"hull/client/engine"
)

// restartOptions are run's flag about being started again.
type restartOptions struct{ policy restartPolicy }

func (o *restartOptions) define(f *pflag.FlagSet) {
	f.Var(&o.policy, "restart", "Restart policy to apply when a container exits")
}

func (o *restartOptions) apply(body *engine.CreateRequest) error {
	if o.policy.Name != "" && o.policy.Name != "no" && body.HostConfig.AutoRemove {
		return conflicting("--restart", "--rm")
	}
	if body.HostConfig.RestartPolicy = engine.RestartPolicy(o.policy); o.policy.Name == "" {
		body.HostConfig.RestartPolicy.Name = "no"
	}
	return nil
}

// A restartPolicy is written no, always, unless-stopped or on-failure[:TIMES]. Which names there are is the daemon's to say.
type restartPolicy engine.RestartPolicy

func (p *restartPolicy) Set(s string) error {
	if s == "" {
		return nil
	}
	name, times, counted := strings.Cut(s, ":")
	if counted && name == "" {
		return errors.New("invalid restart policy format: no policy provided before colon")
	}
	p.Name, p.MaximumRetryCount = name, 0
	if counted {
		n, err := strconv.Atoi(times)
		if err != nil {
			return errors.New("invalid restart policy format: maximum retry count must be an integer")
		}
		p.MaximumRetryCount = n
	}
	return nil
}
func (p *restartPolicy) Type() string   { return "string" }
func (p *restartPolicy) String() string { return "no" }
