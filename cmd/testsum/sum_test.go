package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const events = `{"Action":"output","Package":"hull/x","Test":"TestA","Output":"    a_test.go:1: need docker: not found\n"}
{"Action":"skip","Package":"hull/x","Test":"TestA"}
{"Action":"output","Package":"hull/x","Test":"TestB","Output":"    b_test.go:1: machine: Linux 6.1, cgroup2\n"}
{"Action":"output","Package":"hull/x","Test":"TestB","Output":"    b_test.go:2: machine: Linux 6.1, cgroup2\n"}
{"Action":"pass","Package":"hull/x","Test":"TestB"}
{"Action":"pass","Package":"hull/x"}
{"Action":"skip","Package":"hull/none"}
{"Action":"fail","Package":"hull/y","Test":"TestC"}
{"Action":"fail","Package":"hull/y"}
`

func TestRead(t *testing.T) {
	s, err := read(strings.NewReader(events), "# list\nhull/x TestA: need docker\n")
	require.NoError(t, err)
	require.Equal(t, sums{packages: 1, passed: 1, failed: 2, skipped: 1, machines: []string{"Linux 6.1, cgroup2"}}, s)

	s, err = read(strings.NewReader(events), "hull/x Test*: need docker\nhull/y *: need docker\n")
	require.NoError(t, err)
	require.Empty(t, s.unlisted)

	s, err = read(strings.NewReader(events), "hull/x TestA: need clang\nhull/y Test*: need docker\n")
	require.NoError(t, err)
	require.Equal(t, []string{"TestA"}, s.unlisted, "the reason must fit as well")
}
