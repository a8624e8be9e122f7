package docs_test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestLayers holds the import graph against layers.txt: no tier imports a tier above it.
func TestLayers(t *testing.T) {
	text, err := os.ReadFile("layers.txt")
	require.NoError(t, err)
	rules := map[string][]string{}
	for _, line := range strings.Split(string(text), "\n") {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		folder, allowed, ok := strings.Cut(line, ":")
		require.True(t, ok, "layers.txt: %q has no colon", line)
		rules[folder] = strings.Fields(allowed)
	}

	used := map[string]bool{}
	for _, p := range listPackages(t) {
		folder := strings.TrimPrefix(p.ImportPath, "hull/")
		rule := ruleFor(rules, folder)
		if rule == "" {
			t.Errorf("%s: no line in layers.txt covers it", folder)
			continue
		}
		used[rule] = true
		for _, dep := range p.Imports {
			to, ours := strings.CutPrefix(dep, "hull/")
			if !ours || under(to, rule) || slices.Contains(rules[rule], "*") {
				continue
			}
			if !slices.ContainsFunc(rules[rule], func(a string) bool { return under(to, a) }) {
				t.Errorf("%s imports %s, which the line %q does not allow", folder, to, rule)
			}
		}
	}
	for rule := range rules {
		if files, _ := filepath.Glob("../" + rule + "/*.go"); len(files) > 0 && !used[rule] {
			t.Errorf("layers.txt: no package is covered by the line %q", rule)
		}
	}
}

// ruleFor is the longest rule that covers the folder.
func ruleFor(rules map[string][]string, folder string) (best string) {
	for rule := range rules {
		if under(folder, rule) && len(rule) > len(best) {
			best = rule
		}
	}
	return best
}

func under(folder, parent string) bool {
	return folder == parent || strings.HasPrefix(folder, parent+"/")
}

type pkg struct {
	ImportPath string
	Imports    []string
}

func listPackages(t *testing.T) (all []pkg) {
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports", "hull/...")
	out, err := cmd.Output()
	require.NoError(t, err)
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		err := dec.Decode(&p)
		if errors.Is(err, io.EOF) {
			return all
		}
		require.NoError(t, err)
		all = append(all, p)
	}
}
