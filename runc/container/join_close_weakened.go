//go:build weakened

// This file is never built but by a test: with -tags weakened a protection is missing, and the test of the attack must see it (docs/attacks.md).

package container

import (
	"hull/runc/linux"
	"hull/stages"

	"golang.org/x/sys/unix"
)

// closeAll leaves the host's descriptors open and takes the shield away: what is born in the container then has both.
func (t *initTable) closeAll() error {
	t.p.At(stages.None, "descriptors")
	t.p.Do(linux.Prctl(unix.PR_SET_DUMPABLE, linux.Num(1)))
	return nil
}
