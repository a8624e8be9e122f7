package command

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
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
	if quiet {
		for _, s := range all {
			fmt.Fprintln(g.out, s.ID)
		}
		return nil
	}
	views := make([]container.View, 0, len(all))
	for _, s := range all {
		v := s.View()
		v.Owner = userName(s.Owner())
		views = append(views, v)
	}
	switch format {
	case "json":
		return json.NewEncoder(g.out).Encode(views)
	case "table":
		rows := [][]string{{"ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"}}
		for _, v := range views {
			rows = append(rows, []string{v.ID, strconv.Itoa(v.PID), string(v.Status), v.Bundle, v.Created.Format(time.RFC3339Nano), v.Owner})
		}
		printColumns(g.out, rows)
		return nil
	}
	return invalid("--format", fmt.Sprintf("%q is neither table nor json", format))
}

// userName is the user's in /etc/passwd (passwd(5)), or the number with a #.
func userName(uid uint32) string {
	number := strconv.FormatUint(uint64(uid), 10)
	text, _ := os.ReadFile("/etc/passwd")
	for line := range strings.Lines(string(text)) {
		if f := strings.Split(line, ":"); len(f) > 2 && f[2] == number {
			return f[0]
		}
	}
	return "#" + number
}

// columnWidth is the least that a column has, and columnGap what there is between two at least: runc's, for those who cut by column.
const (
	columnWidth = 12
	columnGap   = 3
)

// printColumns aligns the rows' columns.
func printColumns(w io.Writer, rows [][]string) {
	width := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			width[i] = max(width[i], columnWidth, len(cell)+columnGap)
		}
	}
	for _, row := range rows {
		line := ""
		for i, cell := range row {
			line += fmt.Sprintf("%-*s", width[i], cell)
		}
		fmt.Fprintln(w, strings.TrimRight(line, " "))
	}
}
