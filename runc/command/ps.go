package command

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"hull/runc/container"
	"hull/stages"
)

// ps lists the pids of a container as JSON, which is what shims ask for; or what ps(1) says of them, with its options.
func ps(g *global, fs *flag.FlagSet, args []string) error {
	format := "table"
	for _, name := range []string{"format", "f"} {
		fs.StringVar(&format, name, format, "table or json")
	}
	words, err := positional(fs, args, 1, -1)
	if err != nil {
		return err
	}
	if format != "json" && format != "table" {
		return invalid("--format", fmt.Sprintf("%q is neither table nor json", format))
	}
	pids, err := container.Processes(g.root, words[0])
	if err != nil {
		return err
	}
	if format == "json" {
		if pids == nil {
			pids = []int{}
		}
		return json.NewEncoder(g.out).Encode(pids)
	}
	options := words[1:]
	if len(options) == 0 {
		options = []string{"-ef"}
	}
	table, err := psTable(options)
	if err != nil {
		return &stages.Error{Kind: stages.Unavailable, Thing: "ps " + strings.Join(options, " "), Err: err, Hint: "--format json needs no ps(1)"}
	}
	return filterTable(g.out, table, pids)
}

// psTable is what ps(1) prints.
func psTable(options []string) (string, error) {
	path, err := findPS()
	if err != nil {
		return "", err
	}
	r, w, err := os.Pipe()
	if err != nil {
		return "", err
	}
	defer r.Close()
	p, err := os.StartProcess(path, append([]string{"ps"}, options...), &os.ProcAttr{Files: []*os.File{nil, w, os.Stderr}})
	w.Close()
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(r)
	status, waitErr := p.Wait()
	if err = errors.Join(err, waitErr); err == nil && !status.Success() {
		err = errors.New(status.String())
	}
	return string(text), err
}

// findPS looks in PATH, as os/exec would: that package is not worth its weight in so small a program.
func findPS() (string, error) {
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		file := filepath.Join(dir, "ps")
		if st, err := os.Stat(file); filepath.IsAbs(dir) && err == nil && st.Mode().IsRegular() && st.Mode()&0o111 != 0 {
			return file, nil
		}
	}
	return "", errors.New("executable file not found in $PATH")
}

// filterTable prints the heading and the lines of the pids.
func filterTable(w io.Writer, table string, pids []int) error {
	heading, rest, _ := strings.Cut(table, "\n")
	column := slices.Index(strings.Fields(heading), "PID")
	if column < 0 {
		return invalid("ps", "its options give no column PID")
	}
	fmt.Fprintln(w, heading)
	for line := range strings.Lines(rest) {
		if f := strings.Fields(line); column < len(f) {
			if pid, err := strconv.Atoi(f[column]); err == nil && slices.Contains(pids, pid) {
				io.WriteString(w, line)
			}
		}
	}
	return nil
}
