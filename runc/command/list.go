package command

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"hull/runc/container"
)

// listContainers is runc's table of containers, or its JSON.
func listContainers(g *global, fs *flag.FlagSet, args []string) error {
	format, quiet := "table", false
	for _, name := range []string{"format", "f"} {
		fs.StringVar(&format, name, format, "table or json")
	}
	for _, name := range []string{"quiet", "q"} {
		fs.BoolVar(&quiet, name, false, "ids only")
	}
	if _, err := positional(fs, args, 0, 0); err != nil {
		return err
	}
	all, err := container.List(g.root, g.log.warn)
	if err != nil {
		return err
	}
	switch {
	case quiet:
		for _, s := range all {
			fmt.Fprintln(g.out, s.ID)
		}
		return nil
	case format == "json":
		rows := make([]any, 0, len(all))
		for _, s := range all {
			rows = append(rows, s.OCI())
		}
		return json.NewEncoder(g.out).Encode(rows)
	case format != "table":
		return invalid("--format", fmt.Sprintf("%q is neither table nor json", format))
	}
	rows := [][]string{{"ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"}}
	for _, s := range all {
		status, pid := s.Now()
		rows = append(rows, []string{s.ID, strconv.Itoa(pid), string(status), s.Bundle, s.Created.Format(time.RFC3339Nano), "#" + strconv.FormatUint(uint64(s.Owner()), 10)})
	}
	printColumns(g.out, rows)
	return nil
}

// printColumns aligns the rows' columns.
func printColumns(w io.Writer, rows [][]string) {
	var width []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(width) {
				width = append(width, 0)
			}
			width[i] = max(width[i], len(cell))
		}
	}
	for _, row := range rows {
		line := ""
		for i, cell := range row {
			line += fmt.Sprintf("%-*s   ", width[i], cell)
		}
		fmt.Fprintln(w, strings.TrimRight(line, " "))
	}
}
