package command_test

import (
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// ownCapabilities prints the capability sets of the process that it is executed as. By its path: busybox's shell would not execute its own grep.
const ownCapabilities = `/bin/grep -E '^Cap(Inh|Prm|Eff|Amb)' /proc/self/status | while read name set; do echo -n "$name$set "; done`

const noCapabilities = "CapInh:0000000000000000 CapPrm:0000000000000000 CapEff:0000000000000000 CapAmb:0000000000000000 "

// CVE-2016-8867, CVE-2018-10856, CVE-2021-20188: a user that is not root has no capability by being in the container, in its first process and in
// one that joins, not even where some were added: only a file that grants one can give it.
func TestAttack27AmbientOfAUser(t *testing.T) {
	user := func(p *specs.Process) {
		p.User = specs.User{UID: 1000, GID: 1000}
		c := *p.Capabilities
		c.Bounding, c.Effective, c.Permitted = append(c.Bounding, "CAP_NET_ADMIN"), append(c.Effective, "CAP_NET_ADMIN"), append(c.Permitted, "CAP_NET_ADMIN")
		p.Capabilities = &c
	}
	b := newBench(t, func(s *specs.Spec) { user(s.Process) })
	out, _ := b.inside("user", ownCapabilities)
	require.Equal(t, noCapabilities, out)

	b, id, _ := running(t, nil)
	out, _, code := b.exits("--process", b.process(user, "sh", "-c", ownCapabilities), id)
	require.Zero(t, code)
	require.Equal(t, noCapabilities, out)
	out, _, code = b.exits("--user", "1000:1000", "--cap", "CAP_NET_ADMIN", id, "sh", "-c", ownCapabilities)
	require.Zero(t, code)
	require.Equal(t, noCapabilities, out)
}

// An ambient capability that was asked for alone, without being inheritable, is none (as peers have it), and brings nothing else with it.
func TestAttack27AmbientAlone(t *testing.T) {
	b := newBench(t, func(s *specs.Spec) {
		s.Process.User = specs.User{UID: 1000, GID: 1000}
		s.Process.Capabilities.Ambient = []string{"CAP_NET_ADMIN", "CAP_CHOWN"}
	})
	out, _ := b.inside("alone", ownCapabilities)
	require.Equal(t, noCapabilities, out)
}

// CVE-2022-24769 and its five sisters: the inheritable set is empty, so that a file whose capabilities are inheritable gains nothing by being
// executed. With an inheritable set it does: the file and this test are right.
func TestAttack28Inheritable(t *testing.T) {
	const chown = 1 << unix.CAP_CHOWN
	file := func(b *bench) {
		// struct vfs_cap_data, version 2 (include/uapi/linux/capability.h): magic with the effective bit, then permitted and inheritable, twice.
		var caps []byte
		for _, word := range []uint32{0x02000001, 0, chown, 0, 0} {
			caps = binary.LittleEndian.AppendUint32(caps, word)
		}
		from, err := os.Open(b.bundle + "/rootfs/bin/busybox")
		require.NoError(t, err)
		defer from.Close()
		path := filepath.Join(b.bundle, "rootfs/bin/grep")
		require.NoError(t, os.Remove(path))
		to, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o755)
		require.NoError(t, err)
		_, err = io.Copy(to, from)
		require.NoError(t, err)
		require.NoError(t, to.Close())
		require.NoError(t, unix.Setxattr(path, "security.capability", caps, 0))
	}
	user := func(p *specs.Process) { p.User = specs.User{UID: 1000, GID: 1000} }
	b := newBench(t, func(s *specs.Spec) { user(s.Process) })
	file(b)
	out, _ := b.inside("file", ownCapabilities)
	require.Equal(t, noCapabilities, out)

	b = newBench(t, func(s *specs.Spec) {
		user(s.Process)
		s.Process.Capabilities.Inheritable = []string{"CAP_CHOWN"}
	})
	file(b)
	out, _ = b.inside("inheritable", ownCapabilities)
	require.True(t, strings.HasPrefix(out, "CapInh:0000000000000001 CapPrm:0000000000000001 CapEff:0000000000000001 "), out)

	b, id, _ := running(t, nil)
	file(b)
	out, _, code := b.exits("--process", b.process(user, "sh", "-c", ownCapabilities), id)
	require.Zero(t, code)
	require.Equal(t, noCapabilities, out)
}
