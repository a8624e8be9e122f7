package command

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"

	"hull/runc/container"
	"hull/stages"
)

// ps lists pids as JSON, which is what shims ask for; or a table with what the host's /proc says of each.
func ps(g *global, fs *flag.FlagSet, args []string) error {
	format := "table"
	for _, name := range []string{"format", "f"} {
		fs.StringVar(&format, name, format, "table or json")
	}
	ids, err := positional(fs, args, 1, -1)
	if err != nil {
		return err
	}
	if len(ids) > 1 {
		return &stages.Error{Kind: stages.Unsupported, Thing: "ps options", Err: errors.New("not offered"), Hint: "ask ps(1) itself with the pids of --format json"}
	}
	pids, err := container.Processes(g.root, ids[0])
	if err != nil {
		return err
	}
	switch format {
	case "json":
		if pids == nil {
			pids = []int{}
		}
		return json.NewEncoder(g.out).Encode(pids)
	case "table":
		fmt.Fprintf(g.out, "%-8s %8s %8s  %s\n", "UID", "PID", "PPID", "CMD")
		for _, pid := range pids {
			if line := psLine(pid); line != "" {
				fmt.Fprintln(g.out, line)
			}
		}
		return nil
	}
	return invalid("--format", fmt.Sprintf("%q is neither table nor json", format))
}

// psLine is one process's line, or "" if it is gone (proc_pid_status(5), proc_pid_cmdline(5)).
func psLine(pid int) string {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return ""
	}
	field := map[string]string{}
	for line := range strings.Lines(string(status)) {
		name, value, _ := strings.Cut(line, ":")
		field[name] = strings.TrimSpace(value)
	}
	command := "[" + field["Name"] + "]"
	if words, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid)); err == nil && len(words) > 0 {
		command = strings.TrimSpace(strings.ReplaceAll(string(words), "\x00", " "))
	}
	uid, _, _ := strings.Cut(field["Uid"], "\t")
	return fmt.Sprintf("%-8s %8d %8s  %s", uid, pid, field["PPid"], strings.Map(printable, command))
}

// printable keeps a program's own words from moving the cursor.
func printable(r rune) rune {
	if r < ' ' || r == 0x7f {
		return '?'
	}
	return r
}
