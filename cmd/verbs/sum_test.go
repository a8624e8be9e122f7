package main

import (
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRead(t *testing.T) {
	s, err := read(strings.NewReader(`{"Action":"pass","Test":"TestVerbs/ps/hull"}
{"Action":"pass","Test":"TestVerbs/ps/agrees"}
{"Action":"pass","Test":"TestVerbs/ps"}
{"Action":"fail","Test":"TestVerbs/wait/agrees"}
{"Action":"fail","Test":"TestVerbs/wait"}
{"Action":"pass","Test":"TestVerbs/doctor"}
{"Action":"pass","Test":"TestDockerd/scripts/run"}
{"Action":"pass","Test":"TestHulld/scripts/run"}
{"Action":"pass","Test":"TestHulld/scripts"}
{"Action":"fail","Test":"TestVerbs"}
`), io.Discard)
	require.NoError(t, err)
	require.Equal(t, "verbs: 3 of 4 script tests pass, docker agrees on 2", s.String())
}
