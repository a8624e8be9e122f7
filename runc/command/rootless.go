package command

import (
	"os"
	"path/filepath"

	"hull/runc/namespace"
)

// ordinary reports whether the caller is an ordinary user, or root of a user namespace only: over cgroups it may have no right then. The
// rule is runc's, with its exception for a manager that runs such a namespace as a machine of its own, with USER=root.
func ordinary() bool {
	return os.Geteuid() != 0 || os.Getenv("USER") != "root" && namespace.Nested()
}

// defaultRoot is where states are kept unless --root says otherwise: an ordinary user has a directory for such things, if it has logged in.
func defaultRoot() string {
	if dir := os.Getenv("XDG_RUNTIME_DIR"); dir != "" && ordinary() {
		return filepath.Join(dir, "hull-runc")
	}
	return "/run/hull/runc"
}
