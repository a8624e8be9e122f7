package cli

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/docker/go-units"
	"github.com/spf13/cobra"

	"hull/client/format"
)

// infoCommand is `hull info`.
func (a *app) infoCommand() *cobra.Command {
	var text string
	c := &cobra.Command{Use: "info [OPTIONS]", Short: "Display system-wide information", Args: args(0, 0), DisableFlagsInUseLine: true}
	c.Flags().StringVarP(&text, "format", "f", "", formatOneHelp)
	c.RunE = func(c *cobra.Command, _ []string) error {
		var t *format.Template
		if text != "" {
			var err error
			if t, err = oneTemplate(text); err != nil {
				return &exit{64, saidf("template parsing error: %v", err)}
			}
		}
		client, err := a.connect(c.Context())
		var raw json.RawMessage
		if err == nil {
			raw, err = client.RawInfo(c.Context())
		}
		if t == nil {
			fmt.Fprintf(a.out, "Client:\n Version:    %s\n Debug Mode: false\n", buildVersion())
			if err != nil {
				return err
			}
			return a.printInfo(raw)
		}
		if err != nil {
			return err
		}
		v, err := format.Decode(raw)
		if err != nil {
			return err
		}
		mine := &format.Object{}
		mine.Set("Debug", false)
		mine.Set("Version", buildVersion())
		v.(*format.Object).Set("ClientInfo", mine)
		err = t.Execute(a.out, v)
		fmt.Fprintln(a.out)
		if err != nil {
			return said(err.Error())
		}
		return nil
	}
	return c
}

// info is what printInfo shows of GET /info: definition SystemInfo.
type info struct {
	Containers, ContainersRunning, ContainersPaused, ContainersStopped, Images int
	ServerVersion, Driver, LoggingDriver, CgroupDriver, CgroupVersion          string
	DriverStatus                                                               [][2]string
	Plugins                                                                    struct{ Volume, Network, Log []string }
	Swarm                                                                      struct{ LocalNodeState string }
	Runtimes                                                                   map[string]struct{}
	DefaultRuntime, KernelVersion, OperatingSystem, OSType, Architecture       string
	NCPU                                                                       int
	MemTotal                                                                   int64
	Name, ID, DockerRootDir                                                    string
	Debug, ExperimentalBuild, LiveRestoreEnabled                               bool
	SecurityOptions, Labels, Warnings                                          []string
}

// printInfo prints the daemon's part, in docker's form and order.
func (a *app) printInfo(raw json.RawMessage) error {
	var i info
	if err := json.Unmarshal(raw, &i); err != nil {
		return err
	}
	line := func(format string, args ...any) { fmt.Fprintf(a.out, " "+format+"\n", args...) }
	fmt.Fprintln(a.out, "\nServer:")
	line("Containers: %d", i.Containers)
	line(" Running: %d", i.ContainersRunning)
	line(" Paused: %d", i.ContainersPaused)
	line(" Stopped: %d", i.ContainersStopped)
	line("Images: %d", i.Images)
	line("Server Version: %s", i.ServerVersion)
	line("Storage Driver: %s", i.Driver)
	for _, pair := range i.DriverStatus {
		line(" %s: %s", pair[0], pair[1])
	}
	line("Logging Driver: %s", i.LoggingDriver)
	line("Cgroup Driver: %s", i.CgroupDriver)
	line("Cgroup Version: %s", i.CgroupVersion)
	line("Plugins:")
	line(" Volume: %s", strings.Join(i.Plugins.Volume, " "))
	line(" Network: %s", strings.Join(i.Plugins.Network, " "))
	line(" Log: %s", strings.Join(i.Plugins.Log, " "))
	line("Swarm: %s", i.Swarm.LocalNodeState)
	var runtimes []string
	for name := range i.Runtimes {
		runtimes = append(runtimes, name)
	}
	line("Runtimes: %s", strings.Join(runtimes, " "))
	line("Default Runtime: %s", i.DefaultRuntime)
	line("Security Options:")
	for _, option := range i.SecurityOptions {
		for n, pair := range strings.Split(option, ",") {
			key, value, _ := strings.Cut(pair, "=")
			if n == 0 {
				line(" %s", value)
			} else {
				line("  %s: %s", strings.ToUpper(key[:1])+key[1:], value)
			}
		}
	}
	line("Kernel Version: %s", i.KernelVersion)
	line("Operating System: %s", i.OperatingSystem)
	line("OSType: %s", i.OSType)
	line("Architecture: %s", i.Architecture)
	line("CPUs: %d", i.NCPU)
	line("Total Memory: %s", units.BytesSize(float64(i.MemTotal)))
	line("Name: %s", i.Name)
	line("ID: %s", i.ID)
	line("Root Dir: %s", i.DockerRootDir)
	line("Debug Mode: %v", i.Debug)
	line("Experimental: %v", i.ExperimentalBuild)
	line("Live Restore Enabled: %v", i.LiveRestoreEnabled)
	for _, w := range i.Warnings {
		fmt.Fprintln(a.err, w)
	}
	return nil
}
