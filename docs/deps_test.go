package docs_test

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write docs/deps anew; read the diff before you commit it")

// light are the binaries that a run starts and ends: each import is paid for at every start. They are held to packages, standard library
// included where it is heavy; the long-lived ones only to modules.
var light = []string{"hull", "hull-bundle", "hull-shim", "hull-runc"}

// heavy are standard packages whose mere import costs a short-lived program milliseconds or opens a door it does not need.
var heavy = []string{"net/http", "crypto/tls", "net", "html/template", "text/template", "reflect", "encoding/json", "database/sql", "os/exec", "log/slog"}

// TestDependencies compares what each binary links with docs/deps/BINARY.txt. A new line there is a decision, not a by-product.
func TestDependencies(t *testing.T) {
	mains, err := filepath.Glob("../cmd/hull*")
	require.NoError(t, err)
	require.NotEmpty(t, mains)
	for _, dir := range mains {
		name := filepath.Base(dir)
		t.Run(name, func(t *testing.T) {
			got := linked(t, name, slices.Contains(light, name))
			file := filepath.Join("deps", name+".txt")
			if *update {
				require.NoError(t, os.WriteFile(file, []byte(strings.Join(got, "\n")+"\n"), 0o644))
			}
			text, err := os.ReadFile(file)
			require.NoError(t, err, "go test ./docs -run Dependencies -update writes it")
			require.Equal(t, strings.Fields(string(text)), got, "what cmd/%s links has changed", name)
		})
	}
}

// linked lists the foreign packages (for light binaries; with the heavy standard ones) or modules (for the others) behind cmd/name.
func linked(t *testing.T, name string, packages bool) (list []string) {
	t.Helper()
	format := `{{if .Standard}}std {{.ImportPath}}{{else if .Module}}{{if .Module.Main}}ours{{else}}` +
		`{{if ` + map[bool]string{true: "true", false: "false"}[packages] + `}}dep {{.ImportPath}}{{else}}dep {{.Module.Path}}{{end}}{{end}}{{end}}`
	cmd := exec.Command("go", "list", "-deps", "-f", format, "hull/cmd/"+name)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOARCH=amd64", "GOOS=linux")
	out, err := cmd.Output()
	require.NoError(t, err)
	for _, line := range strings.Split(string(out), "\n") {
		kind, path, _ := strings.Cut(line, " ")
		if kind == "dep" || kind == "std" && packages && slices.Contains(heavy, path) {
			list = append(list, path)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}
