package main_test

import (
	"archive/tar"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// identity prints who a process is: uid, gid and groups as the kernel has them.
const identity = `grep -E '^(Uid|Gid|Groups):' /proc/self/status`

// ids is what identity printed, as "uid gid groups".
func ids(t *testing.T, out string) string {
	t.Helper()
	m := regexp.MustCompile(`(?m)^Uid:\t(\d+)\t.*\nGid:\t(\d+)\t.*\nGroups:\t([\d ]*?) *$`).FindStringSubmatch(out)
	require.NotNil(t, m, out)
	return fmt.Sprintf("%s %s [%s]", m[1], m[2], m[3])
}

// CVE-2016-3697, CVE-2024-40635 and others: a number that is a name of the image's passwd, or that does not fit, becomes another user, root at
// best.
func TestAttack25Users(t *testing.T) {
	e := up(t)
	passwd := "root:x:0:0::/root:/bin/sh\n1000:x:0:0::/root:/bin/sh\nuser:x:1000:1000::/home:/bin/sh\n"
	bad := []string{"4294967296", "4294967295", "2147483648", "-1", "99999999999", "18446744073709551616", "99999999999999999999999", "4294967296:4294967296", "1000:4294967296", "1000:-1"}
	for _, b := range bad {
		passwd += strings.Split(b, ":")[0] + ":x:0:0::/root:/bin/sh\n"
	}
	// Names whose number in the file would be another one when cut to 32 bits, or "leave it as it is".
	cut := map[string]string{"wrapped": "4294967296:4294967296", "minus": "-1:-1", "highest": "4294967295:4294967295", "group": "1000:4294967296", "enormous": "99999999999999999999999:0"}
	for name, numbers := range cut {
		passwd += name + ":x:" + numbers + "::/root:/bin/sh\n"
		bad = append(bad, name)
	}
	e.hostile("evil:latest", nil, map[string]string{"etc/passwd": passwd, "etc/group": "root:x:0:\nevil:x:4294967296:user2\n2000:x:0:\n"}, nil)
	for user, want := range map[string]string{"1000": "1000 1000 [1000]", "1000:2000": "1000 2000 [2000]", "user:1000": "1000 1000 [1000]"} {
		out, text, code := e.once("-u", user, "evil", "sh", "-c", identity)
		require.Zero(t, code, text)
		require.Equal(t, want, ids(t, out), user)
	}
	id := e.background("evil")
	for _, user := range append(bad, "1000:evil") {
		for _, args := range [][]string{{"create", "-u", user, "evil", "id"}, {"exec", "-u", user, id, "id"}} {
			out, text, code := e.run(args...)
			if user == "enormous" && code == 0 && args[0] == "exec" { // a number that is none is 0 in the file; then it must not be the name's
				require.NotContains(t, out, "uid=0", args)
				continue
			}
			require.NotZero(t, code, "%v: %s%s", args, out, text)
			require.Regexp(t, `unable to find (user|group)|uids and gids must be in range|invalid`, out+text, args)
		}
	}
	// The same as the image's own USER.
	for _, user := range []string{"4294967296", "wrapped", "-1"} {
		e.hostile("evil:latest", map[string]any{"User": user}, map[string]string{"etc/passwd": passwd}, nil)
		_, text, code := e.once("evil", "id")
		require.Equal(t, 125, code, text)
	}
}

// people is an image with users and groups.
func (e *engine) people() {
	e.hostile("people:latest", nil, map[string]string{
		"etc/passwd": "root:x:0:0::/root:/bin/sh\nbin:x:1:1::/:/bin/sh\nuser:x:1000:1001::/home:/bin/sh\n",
		"etc/group":  "root:x:0:\nbin:x:1:\nusers:x:1001:\ndenied:x:1002:user\nwheel:x:10:root,user\nother:x:1003:bin\n",
	}, nil)
}

// CVE-2026-30892: exec's own reading of -u took 1 for 0.
func TestAttack26ExecUser(t *testing.T) {
	e := up(t)
	e.people()
	id := e.background("people")
	for user, want := range map[string]string{
		"1": "1 1 [1 1003]", "1:2": "1 2 [2]", "0:5": "0 5 [5]", "0": "0 0 [0 10]", "user": "1000 1001 [10 1001 1002]", "user:bin": "1000 1 [1]", "1000:0": "1000 0 [0]",
		":5": "0 5 [5]", "7": "7 0 [0]", "root:wheel": "0 10 [10]", "2147483647": "2147483647 0 [0]",
	} {
		out, text, code := e.run("exec", "-u", user, id, "sh", "-c", identity)
		require.Zero(t, code, text)
		require.Equal(t, want, ids(t, out), user)
	}
	for _, user := range []string{"nobody-here", "1:nobody-here", "01x", "1,0", " 1", "0x0", "1:2:3"} {
		out, text, code := e.run("exec", "-u", user, id, "id", "-u")
		if code == 0 {
			require.Equal(t, "1\n", out, "%q: %s", user, text) // what is behind a second colon is not read, as with docker
			continue
		}
		require.Contains(t, out+text, "unable to find", user)
	}
}

// CVE-2022-36109 and others: a group that is left out of the supplementary ones is a denial that does not count.
func TestAttack29Groups(t *testing.T) {
	e := up(t)
	e.people()
	for flags, want := range map[string]string{
		"":                                    "0 0 [0 10]",
		"-u user":                             "1000 1001 [10 1001 1002]",
		"-u 1000":                             "1000 1001 [10 1001 1002]",
		"-u 1000:1001":                        "1000 1001 [1001]",
		"-u user:bin":                         "1000 1 [1]",
		"-u 4242":                             "4242 0 [0]",
		"-u 4242:4243":                        "4242 4243 [4243]",
		"-u user --group-add 7":               "1000 1001 [7 10 1001 1002]",
		"-u 1000:1001 --group-add other":      "1000 1001 [1001 1003]",
		"-u 4242:4243 --group-add 0":          "4242 4243 [0 4243]",
		"-u user --group-add users":           "1000 1001 [10 1001 1002]",
		"-u user:denied --group-add 1002":     "1000 1002 [1002]",
		"--group-add wheel --group-add wheel": "0 0 [0 10]",
	} {
		args := append(strings.Fields(flags), "people", "sh", "-c", identity)
		out, text, code := e.once(args...)
		require.Zero(t, code, text)
		require.Equal(t, want, ids(t, out), flags)
	}
	// A file that a group is denied: nobody drops the group.
	out, text, code := e.once("-u", "user", "people", "id", "-G")
	require.Zero(t, code, text)
	require.ElementsMatch(t, []string{"1001", "1002", "10"}, strings.Fields(out))
}

// CVE-2022-4318: a newline in HOME or in a name becomes a line of /etc/passwd, /etc/hosts or /etc/hostname.
func TestAttack30Newlines(t *testing.T) {
	e := up(t)
	passwd := "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/home:/bin/sh\n"
	files := "cat /etc/passwd; echo --; cat /etc/hosts /etc/hostname /etc/resolv.conf /etc/group"
	clean, _, code := e.once("-h", "box", "busybox", "sh", "-c", files)
	require.Zero(t, code)
	for _, flags := range [][]string{
		{"-e", "HOME=x\nevil::0:0::/:/bin/sh"},
		{"-e", "HOME=/\nevil::0:0", "-u", "4242"},
		{"-e", "USER=x\nevil::0:0"},
		{"-u", "4242\nevil::0:0"},
		{"-u", "user:1000\nevil::0:0"},
		{"-h", "box\n6.6.6.6 evil"},
		{"--domainname", "x\n6.6.6.6 evil"},
		{"--add-host", "a\n6.6.6.6 evil:10.0.0.1"},
		{"--dns", "1.1.1.1\nnameserver 6.6.6.6"},
		{"--dns-search", "x\nnameserver 6.6.6.6"},
		{"--dns-opt", "x\nnameserver 6.6.6.6"},
		{"-w", "/tmp\nevil::0:0"},
		{"--group-add", "1\nevil:x:0:"},
	} {
		args := append(append([]string{"-h", "box"}, flags...), "busybox", "sh", "-c", files)
		out, text, code := e.once(args...)
		if code != 0 {
			require.Equal(t, 125, code, "%q: %s", flags, text)
			require.Empty(t, out)
			continue
		}
		require.True(t, strings.HasPrefix(out, passwd), "%q: %s", flags, out)
		require.Equal(t, clean, out, "%q", flags)
	}
}

// memory is how much a process has held at most since forget.
func (e *engine) memory(binary string) (bytes int64) {
	e.t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", e.pid(binary)))
	require.NoError(e.t, err)
	m := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindStringSubmatch(string(text))
	require.NotNil(e.t, m)
	n, err := strconv.ParseInt(m[1], 10, 64)
	require.NoError(e.t, err)
	return n << 10
}

// forget lets the high-water mark of memory begin anew (proc(5), clear_refs).
func (e *engine) forget(binary string) int64 {
	e.t.Helper()
	require.NoError(e.t, os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", e.pid(binary)), []byte("5"), 0))
	return e.memory(binary)
}

// CVE-2024-9676: the image's /etc/passwd is no file, or an endless one.
func TestAttack31Passwd(t *testing.T) {
	e, c := up(t), newCanary(t)
	daemon := e.pid("hulld")
	fifo := tar.Header{Name: "etc/passwd", Typeflag: tar.TypeFifo, Mode: 0o644}
	zero := tar.Header{Name: "etc/passwd", Typeflag: tar.TypeChar, Mode: 0o644, Devmajor: 1, Devminor: 5}
	before := e.forget("hulld")
	for name, try := range map[string]struct {
		files, links map[string]string
		more         []tar.Header
	}{
		"FIFO":       {more: []tar.Header{fifo}},
		"device":     {more: []tar.Header{zero}},
		"/dev/zero":  {links: map[string]string{"etc/passwd": "/dev/zero"}},
		"host's":     {links: map[string]string{"etc/passwd": c.file()}},
		"itself":     {links: map[string]string{"etc/passwd": "passwd"}},
		"magic link": {links: map[string]string{"etc/passwd": "/proc/1/root/etc/passwd"}},
		"5 MiB":      {files: map[string]string{"etc/passwd": strings.Repeat("x", 5<<20)}},
	} {
		e.hostile("evil:latest", nil, try.files, try.links, try.more...)
		for _, flags := range [][]string{{"-u", "user"}, {"-u", "1000"}, {}} {
			out, text, code := e.once(append(flags, "evil", "busybox", "echo", "ran")...)
			require.NotContains(t, text, secret, name)
			if code == 0 { // by number, of an image without users
				require.NotEqual(t, []string{"-u", "user"}, flags, name)
				require.Equal(t, "ran\n", out)
				continue
			}
			require.Regexp(t, `/etc/passwd|unable to find user|no matching entries`, text, name)
		}
	}
	// The same by a running container, for exec and for cp -a.
	id := e.background("busybox")
	for _, script := range []string{
		"mkfifo passwd", "mknod passwd c 1 5", "ln -s /dev/zero passwd", "ln -s " + strings.Repeat("../", 20) + c.file()[1:] + " passwd", "ln -s /proc/1/root/etc/passwd passwd", "ln -s /proc/self/fd/3 passwd", "truncate -s 3G passwd",
	} {
		e.ok("exec", "-w", "/etc", id, "sh", "-c", "rm -f passwd; "+script)
		out, text, code := e.run("exec", "-u", "user", id, "true")
		require.NotZero(t, code, script)
		require.NotContains(t, out+text, secret, script)
	}
	require.Less(t, e.memory("hulld")-before, int64(32<<20), "the daemon's memory")
	require.Equal(t, daemon, e.pid("hulld"), "the daemon has not died")
	e.ok("ps")
	c.untouched("passwd")
}

// CVE-2026-47262 and others: /etc/group is one endless line, or has millions of them.
func TestAttack32Group(t *testing.T) {
	e := up(t)
	daemon := e.pid("hulld")
	entries := 300_000 // as many as are read at all
	for name, group := range map[string]struct {
		text string
		code int
	}{
		"a long line":     {"g:x:1000:" + strings.Repeat("user,", 900<<10), 125},
		"too long a line": {"g:x:1000:" + strings.Repeat("user,", 2<<20), 125},
		"many":            {strings.Repeat("g:x:77:user\n", entries), 0},
		"too many":        {strings.Repeat("g:x:77:user\n", 2*entries), 125},
	} {
		e.hostile("evil:latest", nil, map[string]string{"etc/group": group.text}, nil)
		before := e.forget("hulld")
		out, text, code := e.once("-u", "user", "evil", "id", "-u")
		if group.code == 0 {
			require.Zero(t, code, "%s: %s", name, text)
			require.Equal(t, "1000\n", out)
		} else {
			require.Equal(t, group.code, code, name)
			require.Regexp(t, "/etc/group|unable to find groups", text)
		}
		require.Less(t, e.memory("hulld")-before, int64(96<<20), "the daemon's memory: %s", name)
	}
	id := e.background("busybox")
	before := e.forget("hulld")
	for _, script := range []string{"truncate -s 500M group", "yes g:x:1000:user | head -c 8388608 >group"} {
		e.ok("exec", "-w", "/etc", id, "sh", "-c", script)
		out, text, code := e.run("exec", "-u", "user", id, "true")
		require.NotZero(t, code)
		require.Contains(t, out+text, "/etc/group of the image is larger than")
	}
	require.Less(t, e.memory("hulld")-before, int64(32<<20))
	require.Equal(t, daemon, e.pid("hulld"), "the daemon has not died")
}
