package cli

import (
	"cmp"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/docker/go-connections/nat"
	"github.com/spf13/cobra"
)

// portCommand is `hull port`: where a container's ports are reachable on the host.
func (a *app) portCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "port CONTAINER [PRIVATE_PORT[/PROTO]]",
		Short: "List port mappings or a specific mapping for the container",
		Args:  args(1, 2),
		RunE: func(c *cobra.Command, args []string) error {
			client, err := a.connect(c.Context())
			if err != nil {
				return err
			}
			d, err := client.Details(c.Context(), args[0])
			if err != nil {
				return err
			}
			wanted := ""
			if len(args) == 2 {
				proto, port := nat.SplitProtoPort(args[1])
				if _, err := nat.ParsePort(port); err != nil || port == "" {
					return fmt.Errorf("invalid port: %s", args[1])
				}
				wanted = port + "/" + proto
			}
			var lines []string
			for port, bindings := range d.NetworkSettings.Ports {
				for _, b := range bindings {
					switch at := net.JoinHostPort(b.HostIP, b.HostPort); wanted {
					case "":
						lines = append(lines, port+" -> "+at)
					case port:
						lines = append(lines, at)
					}
				}
			}
			if wanted != "" && len(lines) == 0 {
				return fmt.Errorf("no public port '%s' published for %s", wanted, args[0])
			}
			slices.SortFunc(lines, natural)
			for _, line := range lines {
				fmt.Fprintln(a.out, line)
			}
			return nil
		},
		DisableFlagsInUseLine: true,
	}
}

// natural orders lines as people read them: 90/tcp before 8080/tcp.
func natural(a, b string) int {
	number := func(s string) string { return s[:len(s)-len(strings.TrimLeft(s, "0123456789"))] }
	return cmp.Or(cmp.Compare(len(number(a)), len(number(b))), strings.Compare(a, b))
}
