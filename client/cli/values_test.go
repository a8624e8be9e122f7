package cli

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"hull/client/engine"
)

func TestCheckBind(t *testing.T) {
	for in, want := range map[string]string{
		"/a:/b": "/a:/b", "/a:/b:ro": "/a:/b:ro", "/a:/b:ro,z": "/a:/b:ro,z",
		"/x": "/x", "word:/x": "", "a/b:/x": "", "x": "", ":/x": "", "/a:": "", "/a:x": "", "": "",
	} {
		got, err := checkBind(in)
		require.Equal(t, want, got, in)
		require.Equal(t, want == "", err != nil, in)
	}
	t.Chdir(t.TempDir())
	got, err := checkBind("./d:/x")
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(got, "/") && strings.HasSuffix(got, "/d:/x"), got)
}

func TestCpus(t *testing.T) {
	for in, want := range map[string]int64{"1": 1e9, "0.5": 5e8, "1.25": 125e7, "1/3": -1, "x": -1, "": -1, "0.0000000001": -1, "99999999999999999999": -1} {
		var c cpus
		err := c.Set(in)
		if want < 0 {
			require.Error(t, err, in)
			continue
		}
		require.NoError(t, err, in)
		require.EqualValues(t, want, c, in)
	}
}

func TestTimestamp(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	for in, want := range map[string]string{
		"": "", "42m": "1767320525.000000006", "2026-01-01": "1767225600.000000000", "2026-01-01T00:00:01Z": "1767225601.000000000",
		"2026-01-01T00:00:00.5": "1767225600.500000000", "17": "17", "17.000000001": "17.000000001",
	} {
		got, err := timestamp(in, now)
		require.NoError(t, err, in)
		require.Equal(t, want, got, in)
	}
	for _, in := range []string{"yesterday", "17.x", "2026-13-01", "1.2.3"} {
		_, err := timestamp(in, now)
		require.Error(t, err, in)
	}
}

// TestFailed is docker's rule: the exit code comes from the words of the daemon's answer, and from nothing else.
func TestFailed(t *testing.T) {
	for message, code := range map[string]int{
		`exec: "x": executable file not found in $PATH`: 127, `exec: "/x": stat /x: no such file or directory`: 127,
		`exec: "/etc": permission denied`: 126, `exec: "/etc": is a directory`: 126, "No such image: x": 125,
	} {
		var e *exit
		require.ErrorAs(t, failed(&engine.APIError{Status: 500, Message: message}), &e)
		require.Equal(t, code, e.code, message)
	}
	var e *exit
	require.ErrorAs(t, failed(errors.New("dial: no such file or directory")), &e)
	require.Equal(t, 125, e.code, "only the daemon's words count")
}

func TestDetachKeys(t *testing.T) {
	for in, want := range map[string]string{
		"abc": "abc", "a\x10b": "a\x10b", "a\x10\x10b": "a\x10\x10b", "a\x10\x11b": "a", "\x11": "\x11", "\x10\x10\x11": "\x10",
	} {
		for _, r := range []io.Reader{strings.NewReader(in), iotest.OneByteReader(strings.NewReader(in))} {
			var out bytes.Buffer
			_, err := io.Copy(&out, &detachKeys{r: r})
			require.Equal(t, want, out.String(), "%q", in)
			require.Equal(t, strings.Contains(in, "\x10\x11"), errors.Is(err, errDetach), "%q", in)
		}
	}
}

func TestTable(t *testing.T) {
	var out bytes.Buffer
	table{{"A", "LONGER HEAD", "C"}, {"wide enough cell", "…", ""}}.print(&out)
	require.Equal(t, "A                  LONGER HEAD   C\nwide enough cell   …             \n", out.String())
}
