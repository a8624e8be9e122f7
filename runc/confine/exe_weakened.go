//go:build weakened

// This file is never built but by a test: with -tags weakened a protection is missing, and the test of the attack must see it (docs/attacks.md).

package confine

// SealExe does not seal.
func SealExe() error { return nil }
