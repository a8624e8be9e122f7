package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// What docker knows and hull does not offer yet. A name on these lists is refused as such, so that nobody believes it was a slip of the
// pen, or worse, that it was obeyed. A test reads docker's own help and finds every flag of run either offered or here.

// refusedVerbs are docker's verbs.
const refusedVerbs = `attach build builder buildx bake checkpoint commit compose config context cp diff events exec export
history import info init kill login logout manifest network node pause plugin prune pull push rename restart rm save search secret
service stack start stats swarm system tag top trust unpause update volume wait`

// refusedFlags are docker's flags by the verb's name; one with a short form is written "long,s".
var refusedFlags = [...]struct{ verb, flags string }{
	{"run", `attach,a cpu-count cpu-percent cpu-rt-period cpu-rt-runtime detach-keys disable-content-trust gpus health-cmd
		health-interval health-retries health-start-interval health-start-period health-timeout io-maxbandwidth io-maxiops ip6 isolation
		kernel-memory link link-local-ip log-driver log-opt net-alias network-alias restart sig-proxy
		storage-opt use-api-socket volume-driver volumes-from`},
	{"ps", `filter,f format last,n latest,l size,s`},
	{"logs", `details until`},
	{"stop", `signal,s`},
	{"rm", `link,l`},
	{"inspect", `format,f size,s type platform`},
	{"images", `all,a digests filter,f format tree`},
	{"load", `platform`},
	{"rmi", `no-prune platform`},
	{"version", `format,f`},
}

// refusedFlag is the long name of a docker flag of the verb that is refused, or "" if name is none.
func refusedFlag(verb, name string) string {
	for _, row := range refusedFlags {
		if row.verb != verb {
			continue
		}
		for _, flag := range strings.Fields(row.flags) {
			if long, short, _ := strings.Cut(flag, ","); name == long || name == short {
				return long
			}
		}
	}
	return ""
}

// sameFlags maps the names of the long forms ("container ls", "image rm") to the short forms' rows.
var sameFlags = map[string]string{"hull create": "run", "hull container create": "run", "hull container ls": "ps", "hull image ls": "images", "hull image rm": "rmi"}

// flagError says what is wrong with a flag: refused by name, or in docker's words. Both end with exit code 125.
func flagError(c *cobra.Command, err error) error {
	verb := c.Name()
	if short, ok := sameFlags[c.CommandPath()]; ok {
		verb = short
	}
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) {
		if long := refusedFlag(verb, unknown.GetSpecifiedName()); long != "" {
			return &exit{125, fmt.Errorf("--%s is not offered yet", long)}
		}
	}
	return &exit{125, fmt.Errorf("%w\n\nUsage:  %s\n\nRun '%s --help' for more information", err, c.UseLine(), c.CommandPath())}
}

// unknownVerb answers a verb that is not there.
func unknownVerb(name string) error {
	words := strings.Fields(name)
	if len(words) > 0 && slices.Contains(strings.Fields(refusedVerbs), words[len(words)-1]) {
		return fmt.Errorf("%s is not offered yet", name)
	}
	return fmt.Errorf("unknown command: hull %s\n\nRun 'hull --help' for more information", name)
}
