package namespace_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"testing"

	"hull/runc/linux"
	"hull/runc/namespace"
	"hull/stages/probetest"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func parse(uids []specs.LinuxIDMapping) (*namespace.Wanted, error) {
	return namespace.Parse(&specs.Linux{
		Namespaces:  []specs.LinuxNamespace{{Type: specs.UserNamespace}, {Type: specs.MountNamespace}},
		UIDMappings: uids, GIDMappings: []specs.LinuxIDMapping{{HostID: 5, Size: 1}},
	})
}

// kernel asks the kernel for a user namespace with these maps.
func kernel(t *testing.T, w *namespace.Wanted) error {
	var pipe [2]int
	require.NoError(t, unix.Pipe2(pipe[:], unix.O_CLOEXEC))
	defer unix.Close(pipe[1])
	p := linux.New(pipe[0])
	p.Copy = true
	p.Do(linux.Close(linux.Num(pipe[1])), linux.Read(linux.Num(pipe[0])), linux.GiveUp(unix.ECANCELED))
	pid, pidfd, err := p.Spawn(unix.CLONE_NEWUSER, -1)
	unix.Close(pipe[0])
	require.NoError(t, err)
	defer func() {
		unix.PidfdSendSignal(pidfd, unix.SIGKILL, nil, 0)
		unix.Close(pidfd)
		_, err := linux.Retry(func() (int, error) { return unix.Wait4(pid, nil, 0, nil) })
		require.NoError(t, err)
	}()
	if err := w.WriteMaps(pid); err != nil {
		return err
	}
	there, err := namespace.UsersOf(pid)
	require.NoError(t, err)
	if len(w.Users.UIDs) <= 5 { // more than five the kernel shows in order
		require.Equal(t, w.Users.UIDs, there.UIDs)
	}
	for _, e := range w.Users.UIDs {
		last := e.ContainerID + e.Size - 1
		want, _ := w.Users.UIDs.Host(last)
		got, ok := there.UIDs.Host(last)
		require.True(t, ok)
		require.Equal(t, want, got)
	}
	return nil
}

// TestMapsAgainstTheKernel: what passes the check the kernel takes, and what does not it refuses, but for the rule that is ours: id 0.
func TestMapsAgainstTheKernel(t *testing.T) {
	probetest.Need(t, "root")
	r := rand.New(rand.NewPCG(5, 5))
	id := func() uint32 { // near the ends and each other, where mistakes are
		switch r.IntN(4) {
		case 0:
			return math.MaxUint32 - uint32(r.IntN(3))
		default:
			return uint32(r.IntN(30))
		}
	}
	taken, refused := 0, 0
	for range 400 {
		m := []specs.LinuxIDMapping{{ContainerID: 0, HostID: id(), Size: 1 + uint32(r.IntN(3))}}
		for range r.IntN(5) {
			m = append(m, specs.LinuxIDMapping{ContainerID: id(), HostID: id(), Size: id() % 6})
		}
		if r.IntN(8) == 0 {
			m[0].Size = math.MaxUint32 - uint32(r.IntN(2))
		}
		w, err := parse(m)
		if err == nil {
			require.NoError(t, kernel(t, w), "%v", m)
			taken++
			continue
		}
		require.Contains(t, err.Error(), "linux.uidMappings")
		good, parseErr := parse([]specs.LinuxIDMapping{{Size: 1}})
		require.NoError(t, parseErr)
		good.Users.UIDs = m // what was refused, to the kernel all the same
		require.ErrorIs(t, kernel(t, good), unix.EINVAL, "%v was refused: %v", m, err)
		refused++
	}
	require.Greater(t, taken, 40)
	require.Greater(t, refused, 40)
}

// FuzzMaps: no map makes the check panic, and one that passes it translates each end of its ranges as arithmetic does.
func FuzzMaps(f *testing.F) {
	f.Add(uint32(0), uint32(1000), uint32(65536), uint32(70000), uint32(0), uint32(1))
	f.Add(uint32(0), uint32(0), uint32(math.MaxUint32), uint32(1), uint32(1), uint32(1))
	f.Fuzz(func(t *testing.T, a, b, c, d, e, g uint32) {
		m := []specs.LinuxIDMapping{{ContainerID: a, HostID: b, Size: c}, {ContainerID: d, HostID: e, Size: g}}
		w, err := parse(m)
		if err != nil || os.Geteuid() != 0 {
			return
		}
		for _, x := range m {
			for _, at := range []uint32{0, x.Size - 1} {
				host, ok := w.Users.UIDs.Host(x.ContainerID + at)
				if !ok || host != x.HostID+at || uint64(x.ContainerID)+uint64(at) > math.MaxUint32-1 {
					t.Fatal(fmt.Sprint(m, x, at, host, ok))
				}
			}
		}
	})
}
