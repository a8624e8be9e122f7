package command

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"runtime"

	"hull/runc/hook"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Version is what --version says.
const Version = "0.1.0"

func printVersion(w io.Writer) {
	fmt.Fprintf(w, "hull-runc version %s\nspec: %s\ngo: %s\n", Version, specs.Version, runtime.Version())
}

// features prints the part of the OCI runtime-spec's features document (features.md) that holds here.
func features(g *global, fs *flag.FlagSet, args []string) error {
	if _, err := positional(fs, args, 0, 0); err != nil {
		return err
	}
	yes, no := map[string]bool{"enabled": true}, map[string]bool{"enabled": false}
	enc := json.NewEncoder(g.out)
	enc.SetIndent("", "  ")
	return enc.Encode(map[string]any{
		"ociVersionMin": "1.0.0", "ociVersionMax": specs.Version, "hooks": hook.Kinds(),
		"linux": map[string]any{
			"namespaces": []string{"cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts"},
			"cgroup":     map[string]bool{"v1": true, "v2": true, "systemd": false, "systemdUser": false},
			"seccomp":    yes, "apparmor": no, "selinux": no, "intelRdt": no,
		},
	})
}
