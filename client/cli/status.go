package cli

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"hull/client/engine"
	"hull/stages/instance"
)

// statusCommand is `hull status`: what of this instance runs, and what it answers. The exit code is 0 if all of it runs, else 1.
func (a *app) statusCommand() *cobra.Command {
	return &cobra.Command{Use: "status", Short: "Show what runs in this instance", Args: args(0, 0), RunE: func(c *cobra.Command, _ []string) error {
		inst, err := a.instance()
		if err != nil {
			return err
		}
		rows := table{{"BINARY", "PID", "STATE", "ADDRESS"}}
		all := true
		for _, name := range longLived {
			row, up, err := binaryRow(inst, name)
			if err != nil {
				return err
			}
			rows = append(rows, row)
			all = all && up
		}
		rows.print(a.out)
		fmt.Fprintf(a.out, "\nrun directory:  %s\nlib directory:  %s\n", inst.Run, inst.Lib)

		client := engine.New(inst.APISocket())
		if err := client.Ping(c.Context()); err != nil {
			fmt.Fprintln(a.out, "daemon:        ", err)
			all = false
		} else if list, err := client.List(c.Context(), engine.ListOptions{}); err == nil {
			fmt.Fprintf(a.out, "daemon:         Engine API %s, %d container%s running\n", client.Version(), len(list), plural(len(list)))
		}
		kernel, err := engine.Tracer{Socket: inst.TraceSocket()}.Kernel(c.Context())
		switch {
		case err != nil:
			fmt.Fprintln(a.out, "tracing:       ", err)
		case kernel.Kernel:
			fmt.Fprintln(a.out, "tracing:        claims and kernel events")
		default:
			fmt.Fprintln(a.out, "tracing:        claims only; no kernel events:", kernel.Reason)
		}
		if !all {
			return &exit{code: 1}
		}
		return nil
	}}
}

// binaryRow is one binary's line. Without a lock on its pid file it is not running, whatever number stands there.
func binaryRow(inst instance.Instance, name string) (row []string, up bool, err error) {
	file := inst.PIDFile(name)
	pid, alive, err := instance.Holder(file)
	if err != nil {
		return nil, false, err
	}
	if !alive {
		return []string{name, "-", "not running", "-"}, false, nil
	}
	address := "-"
	if text, err := os.ReadFile(file); err == nil {
		if lines := strings.Split(strings.TrimSpace(string(text)), "\n"); len(lines) > 1 {
			address = lines[1]
		}
	}
	return []string{name, strconv.Itoa(pid), "running", address}, true, nil
}
