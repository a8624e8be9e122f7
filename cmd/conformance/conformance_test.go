package main

import (
	"errors"
	"os"
	"testing"

	"hull/stages/probetest"

	"github.com/stretchr/testify/require"
)

// slice is what CI runs of the suite: fast programs that between them reach every part of the runtime. `make conformance` runs all.
const slice = `^(create|default|delete_resources|hostname|kill_no_effect|linux_cgroups_devices|linux_cgroups_relative_cpus|linux_devices|` +
	`linux_ns_path_type|linux_seccomp|mounts|poststart_fail|poststop|prestart_fail|process|process_user|root_readonly_true|state)$`

func TestSlice(t *testing.T) {
	probetest.Need(t, "root", "peers")
	t.Chdir("../..")
	s, err := conformance(slice, "docs/conformance.txt", "", false)
	require.NoError(t, err)
	require.False(t, s.failed(), "%s, %d that are listed pass", s, s.passes)
	require.Equal(t, 18, s.all)
}

// The traps of the suite: see judge.
func TestJudge(t *testing.T) {
	const yaml = "  ---\n  {\n    \"error\": \"exit status 1\",\n    \"reference\": \"x\"\n  }\n  ...\n"
	for out, want := range map[string]string{
		"TAP version 13\nok 1 - a\n1..1\n":                        "",
		"TAP version 13\nok 1 - a\n" + yaml + "1..1\n":            "",
		"TAP version 13\n1..0\n":                                  "",
		"TAP version 13\n" + yaml + "1..0\n":                      `hidden "error": "exit status 1",`,
		"TAP version 13\nok 1 - a\n" + yaml + yaml + "1..1\n":     `hidden "error": "exit status 1",`,
		"TAP version 13\nok 1 - a\n    not ok 2 - b\n1..2\n":      "not ok 2 - b",
		"TAP version 13\nok 1 - a\n":                              "it printed no plan",
		"":                                                        "it printed no plan",
		"TAP version 13\n  ---\n    \"error\": \"\"\n  ...\n1..0": "",
	} {
		require.Equal(t, want, judge("create", out, nil).unclean, out)
	}
	require.Equal(t, 2, judge("create", "not ok 1\nok 2\n  not ok 3\n1..3\n", nil).points)
	require.Empty(t, judge("process_rlimits_fail", "", nil).unclean)
	require.Equal(t, "exit status 1", judge("process_rlimits_fail", "", errors.New("exit status 1")).unclean)
	require.Equal(t, "exit status 1", judge("create", "ok 1\n1..1\n", errors.New("exit status 1")).unclean)
}

func TestSum(t *testing.T) {
	file := t.TempDir() + "/list"
	require.NoError(t, os.WriteFile(file, []byte("# comment\n\nold: it cannot be had\npart 2: half of it\nloose race: two processes\n"), 0o600))
	list, err := readList(file)
	require.NoError(t, err)
	require.NoError(t, list.check([]string{"old", "part", "loose", "new"}))
	require.Error(t, list.check([]string{"old"}))
	for _, c := range []struct {
		name, unclean  string
		points         int
		want           string
		foreign, fails bool
	}{
		{name: "new", want: clean},
		{name: "new", unclean: "x", want: unlisted, fails: true},
		{name: "new", unclean: "x", want: listed, foreign: true},
		{name: "old", unclean: "x", want: listed},
		{name: "old", want: passes, fails: true},
		{name: "old", want: clean, foreign: true},
		{name: "old", unclean: "x", points: 1, want: unlisted, fails: true},
		{name: "part", unclean: "x", points: 2, want: listed},
		{name: "part", unclean: "x", points: 3, want: unlisted, fails: true},
		{name: "part", unclean: "x", points: 1, want: unlisted, fails: true},
		{name: "loose", unclean: "x", points: 3, want: listed},
		{name: "loose", want: clean},
	} {
		var s sum
		require.Equal(t, c.want, s.add(result{c.unclean, c.points}, list[c.name], c.foreign), "%+v", c)
		require.Equal(t, c.fails, s.failed(), "%+v", c)
	}
	for _, bad := range []string{"old", "old: ", "old: a\nold: b", "old many: a"} {
		require.NoError(t, os.WriteFile(file, []byte(bad), 0o600))
		_, err := readList(file)
		require.Error(t, err, bad)
	}
}
