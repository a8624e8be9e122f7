package command_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// CVE-2024-21626: a working directory that is one of the runtime's own descriptors, by its name in /proc or by a link of the image to that,
// is a directory of the host. The caller leaks twenty of them, and none can be entered.
func TestAttack02WorkDir(t *testing.T) {
	b := newBench(t, nil)
	link := filepath.Join(b.bundle, "rootfs/w")
	for fd := 3; fd <= 40; fd++ {
		target := fmt.Sprintf("/proc/self/fd/%d", fd)
		os.Remove(link)
		require.NoError(t, os.Symlink(target, link))
		for _, cwd := range []string{target, "/w"} {
			b.spec.Process.Cwd = cwd
			id := b.id("cwd")
			cmd := exec.Command(b.bin, "--root", b.root, "create", "--bundle", b.bundle, id)
			for range 20 {
				dir, err := os.Open("/etc")
				require.NoError(t, err)
				defer dir.Close()
				cmd.ExtraFiles = append(cmd.ExtraFiles, dir)
			}
			_, errs, err := b.exec(cmd)
			require.Error(t, err, cwd)
			require.Regexp(t, `^hull-runc: runc.init.workdir: `, errs, "%s, link to %s", cwd, target)
		}
	}
}
