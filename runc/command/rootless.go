package command

import (
	"os"
	"path/filepath"
	"strings"
)

// ordinary reports whether the caller is an ordinary user, or root of a user namespace only: over cgroups it may have no right then. The
// rule is runc's, with its exception for a manager that runs such a namespace as a machine of its own, with USER=root.
func ordinary() bool {
	return os.Geteuid() != 0 || os.Getenv("USER") != "root" && inUserNamespace()
}

// inUserNamespace reports whether uid 0 is not the machine's. In the first user namespace every id stands for itself (user_namespaces(7)).
func inUserNamespace() bool {
	text, err := os.ReadFile("/proc/self/uid_map")
	return err == nil && strings.Join(strings.Fields(string(text)), " ") != "0 0 4294967295"
}

// defaultRoot is where states are kept unless --root says otherwise: an ordinary user has a directory for such things, if it has logged in.
func defaultRoot() string {
	if dir := os.Getenv("XDG_RUNTIME_DIR"); dir != "" && ordinary() {
		return filepath.Join(dir, "hull-runc")
	}
	return "/run/hull/runc"
}
