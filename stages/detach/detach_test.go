package detach

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

func TestReader(t *testing.T) {
	for in, want := range map[string]string{
		"abc": "abc", "a\x10b": "a\x10b", "a\x10\x10b": "a\x10\x10b", "a\x10\x11b": "a", "\x11": "\x11", "\x10\x10\x11": "\x10", "a\x10": "a\x10",
	} {
		for _, r := range []io.Reader{strings.NewReader(in), iotest.OneByteReader(strings.NewReader(in))} {
			var out bytes.Buffer
			d, err := NewReader(r, "")
			require.NoError(t, err)
			_, err = io.Copy(&out, d)
			require.Equal(t, want, out.String(), "%q", in)
			require.Equal(t, strings.Contains(in, "\x10\x11"), errors.Is(err, Err), "%q", in)
		}
	}
	for in, want := range map[string]string{"aab": "", "aaab": "a", "abaab": "ab", "aaaa": "aaaa", "ab": "ab"} {
		var out bytes.Buffer
		d, err := NewReader(iotest.OneByteReader(strings.NewReader(in)), "a,a,b")
		require.NoError(t, err)
		_, err = io.Copy(&out, d)
		require.Equal(t, want, out.String(), in)
		require.Equal(t, strings.Contains(in, "aab"), errors.Is(err, Err), in)
	}
}

func TestParse(t *testing.T) {
	for in, want := range map[string]string{
		"ctrl-p,ctrl-q": "\x10\x11", "ctrl-P": "\x10", "a": "a", "ctrl-@,ctrl-[,ctrl-_": "\x00\x1b\x1f", "DEL": "\x7f", "e,x": "ex", "^": "^",
	} {
		got, err := Parse(in)
		require.NoError(t, err, in)
		require.Equal(t, want, string(got), in)
	}
	for _, in := range []string{"", "ctrl-", "ctrl-1", "ctrl-pp", "ab", "a,,b", "shift-a"} {
		_, err := Parse(in)
		require.ErrorContains(t, err, "invalid detach keys ("+in+") provided")
	}
}
