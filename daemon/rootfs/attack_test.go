package rootfs

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"hull/stages/probetest"

	"github.com/stretchr/testify/require"
)

// CVE-2023-0778: a directory is exchanged for a link out of the root while it is exported. cmd/hull has the same by a real container.
func TestAttack20ExportRace(t *testing.T) {
	r, dir, canary := open(t)
	require.NoError(t, os.MkdirAll(dir+"/v/d", 0o755))
	require.NoError(t, os.WriteFile(dir+"/v/d/canary", []byte("in the directory"), 0o600))
	require.NoError(t, os.Symlink(filepath.Dir(canary), dir+"/v/l"))
	stop := probetest.Exchange(dir+"/v/d", dir+"/v/l")
	rounds, seen, stolen := probetest.Rounds(t, 2000), 0, false
	for round := 0; round < rounds && !stolen; round++ {
		var tar bytes.Buffer
		r.Export(t.Context(), &tar) // it may fail: an entry changed its kind
		stolen = strings.Contains(tar.String(), "alive")
		if strings.Contains(tar.String(), "in the directory") {
			seen++
		}
	}
	swaps := stop()
	t.Logf("%d exports, %d swaps, the directory was read %d times", rounds, swaps, seen)
	require.False(t, stolen, "the host's file is in the archive")
	require.NotZero(t, seen, "export walked through the directory as well")
	require.Greater(t, swaps, int64(rounds), "the attacker hardly struck")
}

// The same test, of this package without its protection, must fail.
func TestAttack20Weakened(t *testing.T) {
	cmd := exec.Command("go", "test", "-count=1", "-tags", "weakened", "-run", "^TestAttack20ExportRace$", ".")
	cmd.Env = append(os.Environ(), "HULL_ATTACK_ROUNDS=20000")
	out, err := cmd.CombinedOutput()
	require.Error(t, err, "%s", out)
	require.Contains(t, string(out), "the host's file is in the archive")
}
