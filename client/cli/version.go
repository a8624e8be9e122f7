package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"hull/client/engine"
	"hull/client/format"
)

// versionCommand is `hull version`: the client's part is printed even if the daemon does not answer.
func (a *app) versionCommand() *cobra.Command {
	var text string
	c := &cobra.Command{Use: "version [OPTIONS]", Short: "Show the hull version information", Args: args(0, 0), DisableFlagsInUseLine: true}
	c.Flags().StringVarP(&text, "format", "f", "", formatOneHelp)
	c.RunE = func(c *cobra.Command, _ []string) error {
		if text != "" {
			return a.versionBy(c, text)
		}
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
	}
	return c
}

// versionBy prints by a template: .Client and .Server, which is nil where no daemon answers.
func (a *app) versionBy(c *cobra.Command, text string) error {
	t, err := oneTemplate(text)
	if err != nil {
		return &exit{64, saidf("template parsing error: %v", err)}
	}
	client, failure := a.connect(c.Context())
	both, mine := &format.Object{}, &format.Object{}
	for _, member := range [][2]string{
		{"Version", buildVersion()},
		{"ApiVersion", settled(client)},
		{"DefaultAPIVersion", engine.MaxAPI},
		{"GoVersion", runtime.Version()},
		{"Os", runtime.GOOS},
		{"Arch", runtime.GOARCH},
	} {
		mine.Set(member[0], member[1])
	}
	both.Set("Client", mine)
	both.Set("Server", nil)
	if failure == nil {
		raw, err := client.RawVersion(c.Context())
		if err != nil {
			return err
		}
		server, err := format.Decode(raw)
		if err != nil {
			return err
		}
		both.Set("Server", server)
	}
	err = t.Execute(a.out, both)
	fmt.Fprintln(a.out)
	if failure != nil {
		return failure
	}
	if err != nil {
		return said(err.Error())
	}
	return nil
}

// settled is the API version that is spoken.
func settled(c *engine.Client) string {
	if c == nil || c.Version() == "" {
		return engine.MaxAPI
	}
	return c.Version()
}

func apiVersion(c *engine.Client) string {
	if v := settled(c); v != engine.MaxAPI {
		return fmt.Sprintf("%s (downgraded from %s)", v, engine.MaxAPI)
	}
	return engine.MaxAPI
}

// buildVersion is what the Go toolchain stamped into the binary: a tag, a commit, or "(devel)".
func buildVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
