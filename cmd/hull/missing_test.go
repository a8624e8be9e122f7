package main_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hull/containerd/imagetest"
	"hull/daemon/network/networktest"
	"hull/stages/instance"
	"hull/stages/probetest"

	"github.com/stretchr/testify/require"
)

// TestEachBinaryTakenAway: there is no short cut between stages, so without any one binary a run fails, and the error names it.
func TestEachBinaryTakenAway(t *testing.T) {
	probetest.Need(t, "root", "peers")
	tar := imagetest.BusyboxSave(t, "busybox:latest")
	for _, gone := range binaries[1:] {
		t.Run(gone, func(t *testing.T) {
			own := t.TempDir()
			for _, b := range binaries {
				if b != gone {
					require.NoError(t, os.Link(filepath.Join(bin, b), filepath.Join(own, b)))
				}
			}
			root, err := os.MkdirTemp("", "hull")
			require.NoError(t, err)
			inst, err := instance.At(root)
			require.NoError(t, err)
			e := &engine{t: t, bin: own, inst: inst, net: networktest.New(t)}
			defer e.down()

			_, text, code := e.run("up")
			switch gone {
			case "hulld", "hull-containerd", "hull-shim": // up itself needs them
				require.Equal(t, 1, code, text)
			case "hull-trace": // a witness and no link of the chain: a run never fails for want of it, but says so
				require.Zero(t, code, text)
				e.ok("load", "-i", tar)
				var out string
				out, text, code = e.run("run", "--rm", "--network", "none", "--trace", "busybox", "echo", "hi")
				require.Zero(t, code, text)
				require.Equal(t, "hi\n", out)
			case "hull-init": // only a container that asks for an init needs it
				require.Zero(t, code, text)
				e.ok("load", "-i", tar)
				e.ok("run", "--rm", "--network", "none", "busybox", "true")
				before := e.snapshots()
				_, text, code = e.run("run", "--rm", "--init", "--network", "none", "busybox", "true")
				require.Equal(t, 125, code, text)
				require.Equal(t, before, e.snapshots())
			default:
				require.Zero(t, code, text)
				e.ok("load", "-i", tar)
				before := e.snapshots()
				_, text, code = e.run("run", "--rm", "--network", "none", "busybox", "true")
				require.Equal(t, 125, code, "not 127: it is not the container's program that is missing: %s", text)
				require.Equal(t, before, e.snapshots())
				require.Empty(t, e.dirs())
			}
			require.Contains(t, text, gone)
			require.Equal(t, 1, strings.Count(text, "\n"), "one line: %s", text)
		})
	}
}
