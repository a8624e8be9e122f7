package cli

import (
	"fmt"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"hull/client/engine"
)

// imageOptions are run's flags about how the image is found.
type imageOptions struct {
	pull     string
	quiet    bool
	platform string
}

// When run pulls the image.
const (
	pullAlways  = "always"
	pullMissing = "missing"
	pullNever   = "never"
)

func (o *imageOptions) define(f *pflag.FlagSet) {
	f.StringVar(&o.pull, "pull", pullMissing, `Pull image before running ("always", "missing", "never")`)
	f.BoolVarP(&o.quiet, "quiet", "q", false, "Suppress the pull output")
	f.StringVar(&o.platform, "platform", "", "Set platform if server is multi-platform capable")
}

func (o *imageOptions) apply(*engine.CreateRequest) (err error) {
	if !slices.Contains([]string{pullAlways, pullMissing, pullNever, ""}, o.pull) {
		return fmt.Errorf("invalid pull option: '%s': must be one of %q, %q or %q", o.pull, pullAlways, pullMissing, pullNever)
	}
	if o.platform, err = readPlatform(o.platform); err != nil {
		return fmt.Errorf("error parsing specified platform: %w", err)
	}
	return nil
}

// architectures are other names of what Go, and with it docker, calls an architecture.
func architectures() map[string]string {
	return map[string]string{
		"amd64": "amd64", "x86_64": "amd64", "x86-64": "amd64", "arm64": "arm64", "aarch64": "arm64", "386": "386", "i386": "386", "arm": "arm",
		"armhf": "arm", "armel": "arm", "riscv64": "riscv64", "ppc64le": "ppc64le", "s390x": "s390x", "mips64le": "mips64le", "loong64": "loong64",
	}
}

// readPlatform reads OS, ARCHITECTURE, or OS/ARCHITECTURE[/VARIANT], and writes it in full.
func readPlatform(s string) (string, error) {
	if s == "" {
		return "", nil
	}
	part := strings.Split(strings.ToLower(s), "/")
	known := func(name string) bool {
		return slices.Contains([]string{"linux", "windows", "darwin", "freebsd"}, name)
	}
	for _, p := range part {
		if p == "" || strings.Trim(p, "abcdefghijklmnopqrstuvwxyz0123456789_.-") != "" {
			return "", fmt.Errorf("%q is an invalid component of %q: platform specifier component must match \"^[A-Za-z0-9_.-]+$\": invalid argument", p, s)
		}
	}
	switch {
	case len(part) == 1 && known(part[0]):
		return part[0] + "/" + runtime.GOARCH, nil
	case len(part) == 1 && architectures()[part[0]] != "":
		return "linux/" + architectures()[part[0]], nil
	case len(part) == 1:
		return "", fmt.Errorf("%q: unknown operating system or architecture: invalid argument", s)
	case len(part) > 3:
		return "", fmt.Errorf("%q: cannot parse platform specifier: invalid argument", s)
	}
	if arch := architectures()[part[1]]; arch != "" {
		part[1] = arch
	}
	return strings.Join(part, "/"), nil
}
