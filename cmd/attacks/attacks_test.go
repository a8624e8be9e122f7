package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"hull/stages/probetest"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write docs/attacks.md anew")

// TestTable: every attack of the table has a test or a reason, and every test an attack.
func TestTable(t *testing.T) {
	tests, err := find(probetest.Root())
	require.NoError(t, err)
	require.NoError(t, check(tests))
	require.Error(t, check(of(tests, 1)), "attacks without a test")
	require.ErrorContains(t, check(append([]test{{0, "TestAttackX", "x", "x_test.go"}}, tests...)), "TestAttackX")
	require.ErrorContains(t, check(append([]test{{41, "TestAttack41", "x", "x_test.go"}}, tests...)), "TestAttack41")
}

// TestPage: docs/attacks.md is the table and the tests as they are.
func TestPage(t *testing.T) {
	tests, err := find(probetest.Root())
	require.NoError(t, err)
	file := probetest.Root() + "/docs/attacks.md"
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(page(tests)), 0o644))
	}
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, page(tests), string(text), "go test ./cmd/attacks -update writes it anew")
}

func TestRead(t *testing.T) {
	var tests []test
	var events strings.Builder
	for _, a := range attacks {
		if a.notOffered == "" {
			one := test{a.number, fmt.Sprintf("TestAttack%02d", a.number), "x", "x_test.go"}
			tests = append(tests, one, test{a.number, one.name + "Weakened", "y/z", "y_test.go"})
			fmt.Fprintf(&events, `{"Action":"pass","Package":"hull/x","Test":"%s"}`+"\n", one.name)
			fmt.Fprintf(&events, `{"Action":"pass","Package":"hull/y/z","Test":"%sWeakened"}`+"\n", one.name)
		}
	}
	all, err := read(strings.NewReader(events.String()), tests, io.Discard)
	require.NoError(t, err)
	require.Zero(t, all.failed)
	require.Equal(t, len(attacks), all.held+all.no, "each counts once")
	for how, replace := range map[string]string{
		"failed":      `{"Action":"fail","Package":"hull/x","Test":"TestAttack04"}`,
		"was skipped": `{"Action":"skip","Package":"hull/x","Test":"TestAttack04"}`,
		"did not run": `{"Action":"fail","Package":"hull/x"}`,
	} {
		s, err := read(strings.NewReader(strings.Replace(events.String(), `{"Action":"pass","Package":"hull/x","Test":"TestAttack04"}`, replace, 1)), tests, io.Discard)
		require.NoError(t, err)
		require.Equal(t, sums{s.rows, all.held - 1, 1, all.no}, s)
		var out strings.Builder
		s.print(&out)
		require.Contains(t, out.String(), "failed (TestAttack04 "+how+")\n")
		require.Regexp(t, `\nattacks: \d+ held, 1 failed, \d+ not offered\n$`, out.String())
	}
}
