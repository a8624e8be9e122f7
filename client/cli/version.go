package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"hull/client/engine"
)

// versionCommand is `hull version`: the client's part is printed even if the daemon does not answer.
func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{Use: "version [OPTIONS]", Short: "Show the hull version information", Args: args(0, 0), DisableFlagsInUseLine: true, RunE: func(c *cobra.Command, _ []string) error {
		client, err := a.connect(c.Context())
		fmt.Fprintf(a.out, "Client:\n Version:           %s\n API version:       %s\n Go version:        %s\n OS/Arch:           %s/%s\n",
			buildVersion(), apiVersion(client), runtime.Version(), runtime.GOOS, runtime.GOARCH)
		if err != nil {
			return err
		}
		v, err := client.DaemonVersion(c.Context())
		if err != nil {
			return err
		}
		fmt.Fprintf(a.out, "\nServer:\n Engine:\n  Version:          %s\n  API version:      %s (minimum version %s)\n  Go version:       %s\n  OS/Arch:          %s/%s\n",
			v.Version, v.APIVersion, v.MinAPIVersion, v.GoVersion, v.Os, v.Arch)
		for _, part := range v.Components {
			if part.Name != "Engine" {
				fmt.Fprintf(a.out, " %s:\n  Version:          %s\n", part.Name, part.Version)
			}
		}
		return nil
	}}
}

func apiVersion(c *engine.Client) string {
	if c == nil || c.Version() == "" || c.Version() == engine.MaxAPI {
		return engine.MaxAPI
	}
	return fmt.Sprintf("%s (downgraded from %s)", c.Version(), engine.MaxAPI)
}

// buildVersion is what the Go toolchain stamped into the binary: a tag, a commit, or "(devel)".
func buildVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
