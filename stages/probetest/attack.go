package probetest

import (
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"
)

// HostFiles are files of the host that an attack aims at, with what they hold.
func HostFiles(t testing.TB, patterns ...string) map[string]string {
	t.Helper()
	held := map[string]string{}
	for _, pattern := range patterns {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			held[f] = string(text)
		}
	}
	return held
}

// Exchange is an attacker that exchanges two names again and again (renameat2(2), RENAME_EXCHANGE), until stop, which answers how often it did.
func Exchange(a, b string) (stop func() (swaps int64)) {
	var ends atomic.Bool
	done := make(chan int64)
	go func() {
		var swaps int64
		for !ends.Load() {
			if unix.Renameat2(unix.AT_FDCWD, a, unix.AT_FDCWD, b, unix.RENAME_EXCHANGE) == nil {
				swaps++
			}
		}
		done <- swaps
	}()
	return func() int64 {
		ends.Store(true)
		return <-done
	}
}
