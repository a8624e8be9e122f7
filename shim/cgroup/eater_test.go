package cgroup

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
)

// eatIn makes the test's own program one that joins a group and uses memory until it is killed.
const eatIn = "HULL_TEST_EAT_IN"

func eater(t *testing.T, dir string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), eatIn+"="+dir)
	return cmd
}

func TestMain(m *testing.M) {
	dir := os.Getenv(eatIn)
	if dir == "" {
		os.Exit(m.Run())
	}
	if os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte(strconv.Itoa(os.Getpid())), 0o600) != nil {
		os.Exit(1)
	}
	var held [][]byte
	for range 1 << 10 {
		b := make([]byte, 1<<20)
		for i := 0; i < len(b); i += 4096 {
			b[i] = 1
		}
		held = append(held, b)
	}
	runtime.KeepAlive(held)
}
