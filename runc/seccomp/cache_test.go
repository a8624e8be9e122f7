package seccomp

import (
	"os"
	"path/filepath"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// poisoned is a cache whose one program is not the profile's but allows everything: what a reader trusts shows.
func poisoned(t *testing.T, p *specs.LinuxSeccomp) (c Cache, file string) {
	c = Cache(filepath.Join(t.TempDir(), "cache"))
	c.write(keyOf(p), Filter{Insns: []unix.SockFilter{{Code: opReturn, K: unix.SECCOMP_RET_ALLOW}}, Flags: 7})
	entries, err := os.ReadDir(string(c))
	require.NoError(t, err)
	require.Len(t, entries, 1)
	return c, filepath.Join(string(c), entries[0].Name())
}

func TestCache(t *testing.T) {
	p := dockers(t, "amd64")
	want, err := Compile(p)
	require.NoError(t, err)
	c := Cache(filepath.Join(t.TempDir(), "cache"))
	got, keep, err := c.Filter(p)
	require.NoError(t, err)
	require.Equal(t, want, got)
	require.NoDirExists(t, string(c), "nothing is made before keep")
	keep()
	got, ok := c.read(keyOf(p))
	require.True(t, ok)
	require.Equal(t, want, got)
	st, err := os.Stat(string(c))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), st.Mode().Perm())

	c, _ = poisoned(t, p)
	got, _, err = c.Filter(p)
	require.NoError(t, err)
	require.Len(t, got.Insns, 1, "it does come from the cache")

	_, _, err = c.Filter(&specs.LinuxSeccomp{DefaultAction: "X"})
	require.ErrorContains(t, err, "not a seccomp action")
}

// A profile that differs in anything at all has another program.
func TestTheCacheTellsProfilesApart(t *testing.T) {
	two, none := uint(2), uint(0)
	keys := map[string]string{}
	for name, change := range map[string]func(*specs.LinuxSeccomp){
		"as it is":     func(*specs.LinuxSeccomp) {},
		"default":      func(p *specs.LinuxSeccomp) { p.DefaultAction = specs.ActAllow },
		"errno":        func(p *specs.LinuxSeccomp) { p.DefaultErrnoRet = &two },
		"errno 0":      func(p *specs.LinuxSeccomp) { p.DefaultErrnoRet = &none },
		"arch":         func(p *specs.LinuxSeccomp) { p.Architectures = p.Architectures[:1] },
		"no flags":     func(p *specs.LinuxSeccomp) { p.Flags = []specs.LinuxSeccompFlag{} },
		"flag":         func(p *specs.LinuxSeccomp) { p.Flags = []specs.LinuxSeccompFlag{specs.LinuxSeccompFlagLog} },
		"one name":     func(p *specs.LinuxSeccomp) { p.Syscalls[0].Names = p.Syscalls[0].Names[1:] },
		"joined names": func(p *specs.LinuxSeccomp) { p.Syscalls[0].Names = []string{"acceptaccept4"} },
		"action":       func(p *specs.LinuxSeccomp) { p.Syscalls[0].Action = specs.ActErrno },
		"argument":     func(p *specs.LinuxSeccomp) { p.Syscalls[0].Args = []specs.LinuxSeccompArg{{Op: specs.OpEqualTo}} },
		"operator":     func(p *specs.LinuxSeccomp) { p.Syscalls[0].Args = []specs.LinuxSeccompArg{{Op: specs.OpNotEqual}} },
		"listener":     func(p *specs.LinuxSeccomp) { p.ListenerPath = "/a" },
	} {
		p := dockers(t, "amd64")
		change(p)
		key := string(keyOf(p))
		require.Empty(t, keys[key], name)
		keys[key] = name
	}
}

// Whatever is damaged, somebody else's or open to somebody else is compiled anew.
func TestTheCacheTrustsNothingElse(t *testing.T) {
	p := dockers(t, "amd64")
	want, err := Compile(p)
	require.NoError(t, err)
	for name, harm := range map[string]func(dir, file string) error{
		"cut": func(_, file string) error { return os.Truncate(file, 100) },
		"a bit": func(_, file string) error {
			text, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			text[len(text)-1] ^= 1
			return os.WriteFile(file, text, 0o600)
		},
		"empty":              func(_, file string) error { return os.Truncate(file, 0) },
		"another's file":     func(_, file string) error { return os.Chown(file, 1000, -1) },
		"another's folder":   func(dir, _ string) error { return os.Chown(dir, 1000, -1) },
		"file for a group":   func(_, file string) error { return os.Chmod(file, 0o620) },
		"folder for others":  func(dir, _ string) error { return os.Chmod(dir, 0o707) },
		"a link to the file": func(_, file string) error { return link(file) },
		"a link to the folder": func(dir, _ string) error {
			return link(dir)
		},
		"another program's": func(_, file string) error { // of the same name, which is a hash of the key
			other := Cache(filepath.Join(t.TempDir(), "cache"))
			other.write([]byte("key"), Filter{Insns: []unix.SockFilter{{Code: opReturn, K: unix.SECCOMP_RET_ALLOW}}})
			return os.Rename(filepath.Join(string(other), nameOf([]byte("key"))), file)
		},
	} {
		t.Run(name, func(t *testing.T) {
			c, file := poisoned(t, p)
			require.NoError(t, harm(string(c), file))
			got, _, err := c.Filter(p)
			require.NoError(t, err)
			require.Equal(t, want, got)
		})
	}
}

func link(path string) error {
	if err := os.Rename(path, path+".real"); err != nil {
		return err
	}
	return os.Symlink(path+".real", path)
}

// The cache does not grow without end.
func TestTheCacheHasALimit(t *testing.T) {
	c := Cache(filepath.Join(t.TempDir(), "cache"))
	f := Filter{Insns: []unix.SockFilter{{Code: opReturn}}}
	for i := range byte(200) {
		c.write([]byte{i}, f)
		entries, err := os.ReadDir(string(c))
		require.NoError(t, err)
		require.LessOrEqual(t, len(entries), cacheEntries)
		_, ok := c.read([]byte{i})
		require.True(t, ok)
	}
}
