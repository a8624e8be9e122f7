package container

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hull/runc/linux"
	"hull/stages"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// bundleOf is a bundle with an empty root, for one worker of a fuzz target.
func bundleOf(f *testing.F) string {
	bundle := f.TempDir()
	for _, dir := range []string{"etc", "bin", "proc", "sys", "dev"} {
		require.NoError(f, os.MkdirAll(filepath.Join(bundle, "rootfs", dir), 0o755))
	}
	return bundle
}

// small is a specification with one of everything that can be asked for.
func small() *specs.Spec {
	caps := []string{"CAP_CHOWN", "CAP_KILL"}
	return &specs.Spec{
		Version: "1.2.0", Root: &specs.Root{Path: "rootfs", Readonly: true}, Hostname: "box",
		Process: &specs.Process{
			Args: []string{"/bin/true"}, Cwd: "/work", Env: []string{"PATH=/bin"}, NoNewPrivileges: true,
			User:         specs.User{UID: 7, GID: 8, AdditionalGids: []uint32{9}},
			Capabilities: &specs.LinuxCapabilities{Bounding: caps, Effective: caps, Permitted: caps, Inheritable: caps[:1], Ambient: caps[:1]},
			Rlimits:      []specs.POSIXRlimit{{Type: "RLIMIT_CORE"}, {Type: "RLIMIT_NOFILE", Soft: 10, Hard: 20}},
			Scheduler:    &specs.Scheduler{Policy: specs.SchedOther, Nice: 3},
		},
		Mounts: []specs.Mount{
			{Destination: "/proc", Type: "proc", Source: "proc", Options: []string{"nosuid"}},
			{Destination: "/data", Type: "bind", Source: "rootfs/etc", Options: []string{"rbind", "ro"}},
		},
		Linux: &specs.Linux{
			Namespaces:    []specs.LinuxNamespace{{Type: "mount"}, {Type: "pid"}, {Type: "network"}, {Type: "ipc"}, {Type: "uts"}, {Type: "cgroup"}},
			MaskedPaths:   []string{"/proc/kcore"},
			ReadonlyPaths: []string{"/proc/sys"},
			Sysctl:        map[string]string{"net.ipv4.ip_forward": "1"},
			Seccomp:       &specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Syscalls: []specs.LinuxSyscall{{Names: []string{"bpf"}, Action: specs.ActErrno}}},
		},
	}
}

// FuzzConfig: whatever text a config.json holds, it is refused in one line, or the table that comes of it isolates as it asks.
func FuzzConfig(f *testing.F) {
	bundle := bundleOf(f)
	seed := func(change func(*specs.Spec)) {
		s := small()
		change(s)
		text, err := json.Marshal(s)
		require.NoError(f, err)
		f.Add(text)
	}
	seed(func(*specs.Spec) {})
	seed(func(s *specs.Spec) {
		s.Linux = &specs.Linux{Namespaces: []specs.LinuxNamespace{{Type: "mount"}}}
		s.Hostname = ""
	})
	seed(func(s *specs.Spec) { s.Linux.Namespaces[1].Path = "/proc/self/ns/pid" })
	seed(func(s *specs.Spec) { s.Process.User.UID = 1<<32 - 1 })
	seed(func(s *specs.Spec) { s.Process.Terminal = true; s.Process.NoNewPrivileges = false })
	f.Fuzz(func(t *testing.T, text []byte) { plan(t, bundle, text) })
}

// FuzzSpec: the same, for specifications that are well-formed: each byte decides one thing, so that most of them come through.
func FuzzSpec(f *testing.F) {
	bundle := bundleOf(f)
	for _, seed := range []string{"", "\x01", strings.Repeat("\x00\x01\x02\x03\x04\x05\x06\x07", 8), strings.Repeat("\x03", 40), "specification"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, choices []byte) {
		text, err := json.Marshal(chosen(choices))
		require.NoError(t, err)
		plan(t, bundle, text)
	})
}

// chosen makes a specification of choices.
func chosen(choices []byte) *specs.Spec {
	next := func(n int) int {
		if len(choices) == 0 {
			return 0
		}
		c := int(choices[0]) % n
		choices = choices[1:]
		return c
	}
	s := small()
	types := []specs.LinuxNamespaceType{"mount", "pid", "network", "ipc", "uts", "cgroup", "user", "time", "nosuch"}
	for range next(10) {
		n := specs.LinuxNamespace{Type: types[next(len(types))], Path: []string{"", "", "", "/proc/self/ns/net", "x"}[next(5)]}
		switch i := next(8); {
		case i < len(s.Linux.Namespaces) && next(2) == 0:
			s.Linux.Namespaces[i] = n
		default:
			s.Linux.Namespaces = append(s.Linux.Namespaces, n)
		}
	}
	if next(3) == 1 {
		s.Linux.Namespaces = s.Linux.Namespaces[:next(len(s.Linux.Namespaces))]
	}
	s.Process.NoNewPrivileges, s.Root.Readonly = next(2) == 0, next(2) == 0
	ids := []uint32{0, 1, 1000, 1<<31 - 1, 1 << 31, 1<<32 - 2, 1<<32 - 1}
	s.Process.User = specs.User{UID: ids[next(len(ids))], GID: ids[next(len(ids))]}
	for range next(4) {
		s.Process.User.AdditionalGids = append(s.Process.User.AdditionalGids, ids[next(len(ids))])
	}
	names := []string{"CAP_CHOWN", "CAP_SYS_ADMIN", "CAP_SYS_RESOURCE", "CAP_CHECKPOINT_RESTORE", "CAP_NOSUCH", "CAP_", "x", "cap_chown"}
	sets := s.Process.Capabilities
	for _, set := range []*[]string{&sets.Bounding, &sets.Effective, &sets.Permitted, &sets.Inheritable, &sets.Ambient} {
		*set = nil
		for range next(4) {
			*set = append(*set, names[next(len(names))])
		}
	}
	if next(4) == 3 {
		s.Process.Capabilities = nil
	}
	limits := []string{"RLIMIT_CPU", "RLIMIT_NOFILE", "RLIMIT_NPROC", "RLIMIT_X"}
	for range next(3) {
		s.Process.Rlimits = append(s.Process.Rlimits, specs.POSIXRlimit{Type: limits[next(4)], Soft: uint64(next(256)), Hard: uint64(next(256)) << next(60)})
	}
	paths := []string{"/proc/kcore", "/", "relative", "/proc/../etc", "", "/dev/null", "/a/b/c"}
	for range next(4) {
		s.Linux.MaskedPaths = append(s.Linux.MaskedPaths, paths[next(len(paths))])
		s.Linux.ReadonlyPaths = append(s.Linux.ReadonlyPaths, paths[next(len(paths))])
	}
	actions := []specs.LinuxSeccompAction{specs.ActAllow, specs.ActErrno, specs.ActKillProcess, specs.ActNotify, specs.ActLog}
	switch next(4) {
	case 0:
		s.Linux.Seccomp = nil
	case 1:
		s.Linux.Seccomp = &specs.LinuxSeccomp{DefaultAction: actions[next(len(actions))]}
	case 2:
		s.Linux.Seccomp.Syscalls[0].Action = actions[next(len(actions))]
		s.Linux.Seccomp.Flags = []specs.LinuxSeccompFlag{"SECCOMP_FILTER_FLAG_TSYNC", specs.LinuxSeccompFlagWaitKillableRecv}[:next(3)]
	}
	keys := []string{"net.ipv4.ip_forward", "kernel.core_pattern", "kernel.shmmax", "kernel.domainname", "net/../kernel/core_pattern", "fs.mqueue.msg_max"}
	for range next(3) {
		s.Linux.Sysctl[keys[next(len(keys))]] = []string{"1", "1\n2", ""}[next(3)]
	}
	options := []string{"ro", "rw", "nosuid", "rbind", "bind", "rro", "remount", "rshared", "size=1k", "idmap"}
	for range next(3) {
		m := specs.Mount{Destination: paths[next(len(paths))], Type: []string{"tmpfs", "bind", "proc", "cgroup", ""}[next(5)], Source: "/etc/passwd"}
		for range next(3) {
			m.Options = append(m.Options, options[next(len(options))])
		}
		s.Mounts = append(s.Mounts, m)
	}
	s.Process.Terminal = next(5) == 4
	return s
}

// plan goes from the text to the table, with nothing made.
func plan(t *testing.T, bundle string, text []byte) {
	require.NoError(t, os.WriteFile(filepath.Join(bundle, "config.json"), text, 0o600))
	o := CreateOptions{ID: "plan", Bundle: bundle, NewKeyring: true, Warn: func(string) {}}
	var asked specs.Spec
	if json.Unmarshal(text, &asked) == nil && asked.Process != nil && asked.Process.Terminal {
		o.ConsoleSocket = "console"
	}
	refused := func(err error) {
		require.NotContains(t, err.Error(), "\n")
		require.NotEqual(t, stages.None, err.(*stages.Error).Step, "%v", err)
	}
	table, err := prepare(&o)
	if err != nil {
		refused(err)
		return
	}
	p, err := table.program(-1)
	if err != nil {
		refused(err)
		return
	}
	isolates(t, &asked, table, p)
}

// isolates holds a table against the specification that it was made of, with nothing of the code that made it: what was asked for is there,
// before the user's program is.
func isolates(t *testing.T, s *specs.Spec, table *initTable, p *linux.Program) {
	var before []linux.Row // the rows before the program
	for i, r := range p.Rows {
		require.GreaterOrEqual(t, i+1+r.Then, 0)
		require.Less(t, i+r.Then, len(p.Rows), "row %d jumps out of the table", i)
		require.Less(t, i+r.Else, len(p.Rows), "row %d jumps out of the table", i)
	}
	for _, r := range p.Rows {
		if r.Step == stages.RuncInitExec {
			break
		}
		before = append(before, r)
	}
	require.Less(t, len(before), len(p.Rows), "nothing is executed")
	rows := func(name string, also func(linux.Row) bool) (n int) {
		for _, r := range before {
			if r.Name == name && (also == nil || also(r)) {
				n++
			}
		}
		return n
	}
	first := func(name string) linux.Row {
		i := slices.IndexFunc(before, func(r linux.Row) bool { return r.Name == name })
		require.GreaterOrEqual(t, i, 0, "there is no %s", name)
		return before[i]
	}
	flags := map[specs.LinuxNamespaceType]uint64{
		"mount": unix.CLONE_NEWNS, "pid": unix.CLONE_NEWPID, "network": unix.CLONE_NEWNET, "ipc": unix.CLONE_NEWIPC, "uts": unix.CLONE_NEWUTS, "cgroup": unix.CLONE_NEWCGROUP,
	}
	for _, n := range s.Linux.Namespaces {
		require.True(t, table.namespaces.Own[n.Type], n.Type)
		require.Equal(t, n.Path == "" && flags[n.Type] != 0, table.namespaces.New&flags[n.Type] != 0, n.Type)
	}
	require.Equal(t, 1, rows("pivot_root", nil))
	require.Equal(t, 1, rows("umount2", nil), "the host's root stays")
	require.Equal(t, 2, rows("close_range", nil), "the caller's descriptors stay")

	u := s.Process.User
	require.Equal(t, uintptr(u.UID), first("setresuid").Args[0].Value)
	require.NotEqual(t, uint32(1<<32-1), u.UID)
	require.Equal(t, uintptr(u.GID), first("setresgid").Args[0].Value)
	require.NotEqual(t, uint32(1<<32-1), u.GID)
	require.Equal(t, uintptr(len(u.AdditionalGids)), first("setgroups").Args[0].Value)

	bounding, effective, permitted, inheritable := 0, 0, 0, 0
	if c := s.Process.Capabilities; c != nil {
		bounding, effective, permitted, inheritable = distinct(c.Bounding), distinct(c.Effective), distinct(c.Permitted), distinct(c.Inheritable)
	}
	prctl := func(option int) func(linux.Row) bool {
		return func(r linux.Row) bool { return r.Args[0].Value == uintptr(option) }
	}
	require.GreaterOrEqual(t, rows("prctl", prctl(unix.PR_CAPBSET_DROP)), 64-bounding)
	sets := *(*[2]unix.CapUserData)(first("capset").Args[1].Ptr)
	require.LessOrEqual(t, ones(sets[0].Effective)+ones(sets[1].Effective), effective)
	require.LessOrEqual(t, ones(sets[0].Permitted)+ones(sets[1].Permitted), permitted)
	require.LessOrEqual(t, ones(sets[0].Inheritable)+ones(sets[1].Inheritable), inheritable)
	if s.Process.NoNewPrivileges {
		require.Equal(t, 1, rows("prctl", prctl(unix.PR_SET_NO_NEW_PRIVS)))
	}
	if s.Linux.Seccomp != nil {
		require.Equal(t, 1, rows("seccomp", nil))
	}
	limited := func(r linux.Row) bool { return r.Step == stages.RuncInitRlimits }
	require.Equal(t, len(s.Process.Rlimits), rows("prlimit64", limited))
	for _, path := range slices.Concat(s.Linux.MaskedPaths, s.Linux.ReadonlyPaths) {
		require.Positive(t, rows("move_mount", func(r linux.Row) bool { return r.Step == stages.RuncInitMaskedPaths && r.Instance == path }), path)
	}
	if s.Root.Readonly {
		require.Positive(t, rows("mount_setattr", func(r linux.Row) bool { return r.Step == stages.RuncInitMaskedPaths && r.Instance == "/" }))
	}
	for _, m := range s.Mounts {
		require.Positive(t, rows("move_mount", func(r linux.Row) bool { return r.Step == stages.RuncInitMounts && r.Instance == m.Destination }), m.Destination)
	}
	require.Equal(t, len(s.Linux.Sysctl), rows("write", func(r linux.Row) bool { return r.Step == stages.RuncInitSysctl }))
}

func distinct(names []string) int {
	slices.Sort(names)
	return len(slices.Compact(names))
}

func ones(word uint32) (n int) {
	for ; word != 0; word &= word - 1 {
		n++
	}
	return n
}

// FuzzState: a damaged state file is an error in one line, or a state that can be asked about.
func FuzzState(f *testing.F) {
	root := f.TempDir()
	require.NoError(f, os.Mkdir(filepath.Join(root, "c"), 0o700))
	good := &State{ID: "c", PID: 1 << 22, PIDStart: 7, Bundle: "/b", Agent: &Agent{Path: "/a"}, dir: filepath.Join(root, "c")}
	require.NoError(f, good.save())
	text, err := os.ReadFile(filepath.Join(root, "c", stateFile))
	require.NoError(f, err)
	f.Add(text)
	f.Add([]byte(`{"pid":-1,"cgroup":{}}`))
	f.Add([]byte(`{"pid":1,"pidStart":0}`))
	f.Add(text[:len(text)/2])
	f.Fuzz(func(t *testing.T, text []byte) {
		require.NoError(t, os.WriteFile(filepath.Join(root, "c", stateFile), text, 0o600))
		s, err := Find(root, "c")
		if err != nil {
			require.NotContains(t, err.Error(), "\n")
			return
		}
		require.Contains(t, []specs.ContainerState{"creating", "created", "running", "stopped"}, s.Status())
		_, err = json.Marshal(s.View())
		require.NoError(t, err)
		_, err = List(root, func(string) {})
		require.NoError(t, err)
		if fd, err := s.pidfd(); err == nil {
			unix.Close(fd)
		}
	})
}

// FuzzFilter: what is read back of a saved filter is what was saved, and anything else is refused.
func FuzzFilter(f *testing.F) {
	dir := f.TempDir()
	f.Add(bytes.Repeat([]byte{0, 1, 2, 3, 4, 5, 6, 7}, 3))
	f.Add([]byte("short"))
	f.Fuzz(func(t *testing.T, text []byte) {
		s := &State{dir: dir}
		require.NoError(t, os.WriteFile(filepath.Join(dir, filterFile), text, 0o600))
		filter, flags, err := s.loadFilter()
		if err != nil {
			return
		}
		require.NoError(t, s.saveFilter(filter, flags))
		again, err := os.ReadFile(filepath.Join(dir, filterFile))
		require.NoError(t, err)
		require.Equal(t, text, again)
	})
}
