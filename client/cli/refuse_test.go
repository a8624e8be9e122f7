package cli

import (
	"os/exec"
	"regexp"
	"testing"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"

	"hull/stages/probetest"
)

var helpFlag = regexp.MustCompile(`(?m)^ +(?:-(\w), )?--([a-z0-9-]+)`)

// TestEveryDockerFlagIsKnown reads the help of the real docker client: each flag of run is offered or refused by name, never unknown.
func TestEveryDockerFlagIsKnown(t *testing.T) {
	probetest.Need(t, "docker")
	help, err := exec.Command("docker", "run", "--help").Output()
	require.NoError(t, err)
	flags := pflag.NewFlagSet("run", pflag.ContinueOnError)
	o := &runOptions{}
	o.define(flags)
	o.defineRun(flags)
	found := helpFlag.FindAllStringSubmatch(string(help), -1)
	require.Greater(t, len(found), 90, "docker run --help is not read any more")
	for _, m := range found {
		short, long := m[1], m[2]
		if long == "help" {
			continue
		}
		if offered := flags.Lookup(long); offered != nil {
			require.Equal(t, short, offered.Shorthand, "--%s", long)
			require.Empty(t, refusedFlag("run", long), "--%s is offered and refused", long)
			continue
		}
		require.Equal(t, long, refusedFlag("run", long))
		if short != "" {
			require.Equal(t, long, refusedFlag("run", short))
			require.Nil(t, flags.ShorthandLookup(short))
		}
	}
}

// TestVerbs holds the two lists of verbs against each other.
func TestVerbs(t *testing.T) {
	a := &app{}
	for _, name := range verbs {
		c := a.verb(name)
		require.Equal(t, name, c.Name())
		require.NotEmpty(t, c.Short, name)
	}
	require.Equal(t, []string{"run"}, verbsIn([]string{"-H", "unix:///x", "run", "busybox"}))
	require.Equal(t, verbs, verbsIn([]string{"--help"}))
}
