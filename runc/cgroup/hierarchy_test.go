package cgroup

import (
	"testing"

	"github.com/stretchr/testify/require"
)

const hybridMounts = `22 1 0:21 / / rw - ext4 /dev/root rw
31 30 0:28 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
34 30 0:31 / /sys/fs/cgroup/a\040b rw,relatime - cgroup cgroup rw,memory
35 30 0:31 / /elsewhere rw,relatime - cgroup cgroup rw,memory
39 30 0:36 /docker/ID /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd
40 30 0:37 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw,nsdelegate
`

const hybridOwn = `9:name=systemd:/docker/ID
8:pids:/
4:memory:/user/me:x
1:cpu,cpuacct:/
0::/me
`

func TestParseReadsAHybridMachine(t *testing.T) {
	all, err := parse(hybridMounts, hybridOwn)
	require.NoError(t, err)
	require.Equal(t, []hierarchy{
		{version: 1, controllers: []string{"cpu", "cpuacct"}, mount: "/sys/fs/cgroup/cpu,cpuacct", root: "/", own: "/"},
		{version: 1, controllers: []string{"memory"}, mount: "/sys/fs/cgroup/a b", root: "/", own: "/user/me:x"},
		{version: 1, controllers: []string{"name=systemd"}, mount: "/sys/fs/cgroup/systemd", root: "/docker/ID", own: "/docker/ID"},
		{version: 2, mount: "/sys/fs/cgroup/unified", root: "/", own: "/me"},
	}, all)
	require.Nil(t, find(all, "pids"), "a controller whose hierarchy is not mounted here is absent")
	require.Equal(t, "cpu,cpuacct", find(all, "cpu").String())
}

func FuzzParse(f *testing.F) {
	f.Add(hybridMounts, hybridOwn)
	f.Add("1 1 0:1 / / rw - cgroup2 cgroup2 rw\n", "0::/\n")
	f.Add("1 1 0:1 / / rw - cgroup cgroup", ":::")
	f.Fuzz(func(t *testing.T, mountinfo, own string) {
		all, err := parse(mountinfo, own)
		if err != nil {
			return
		}
		for _, h := range all {
			require.True(t, h.version == 2 || len(h.controllers) > 0)
			for _, name := range h.below([]string{"x"}, false) {
				require.NotEqual(t, "..", name)
				require.NotContains(t, name, "/")
			}
		}
	})
}

func FuzzComponents(f *testing.F) {
	for _, path := range []string{"/a/b", "a", "..", "/./a//b/", "a:b:c"} {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, path string) {
		names, _, err := components(path)
		if err != nil {
			require.Empty(t, names)
			return
		}
		require.NotEmpty(t, names)
		for _, name := range names {
			require.NotContains(t, []string{"", ".", ".."}, name)
			require.NotContains(t, name, "/")
		}
	})
}
