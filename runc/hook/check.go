package hook

import (
	"fmt"
	"path/filepath"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// A Kind is a point of the container's life, by its name in config.json.
type Kind string

const (
	Prestart        Kind = "prestart"
	CreateRuntime   Kind = "createRuntime"
	CreateContainer Kind = "createContainer"
	StartContainer  Kind = "startContainer"
	Poststart       Kind = "poststart"
	Poststop        Kind = "poststop"
)

// Kinds are all of them, in the order of a container's life.
func Kinds() []Kind {
	return []Kind{Prestart, CreateRuntime, CreateContainer, StartContainer, Poststart, Poststop}
}

// Of lists the hooks of one kind, in the order in which they are called; h may be nil.
func (k Kind) Of(h *specs.Hooks) []specs.Hook {
	if h == nil {
		return nil
	}
	switch k {
	case Prestart:
		//lint:ignore SA1019 deprecated, and still what dockerd asks for
		return h.Prestart
	case CreateRuntime:
		return h.CreateRuntime
	case CreateContainer:
		return h.CreateContainer
	case StartContainer:
		return h.StartContainer
	case Poststart:
		return h.Poststart
	case Poststop:
		return h.Poststop
	}
	return nil
}

// Check holds the hooks against the specification's words, before anything is made: the field that is wrong, and how; or "".
func Check(h *specs.Hooks) (field, problem string) {
	for _, k := range Kinds() {
		for i, hook := range k.Of(h) {
			name := fmt.Sprintf("hooks.%s[%d].", k, i)
			if !filepath.IsAbs(hook.Path) {
				return name + "path", fmt.Sprintf("%q is not an absolute path", hook.Path)
			}
			for j, e := range hook.Env {
				if variable, _, ok := strings.Cut(e, "="); !ok || variable == "" {
					return fmt.Sprintf("%senv[%d]", name, j), fmt.Sprintf("%q is not NAME=VALUE", e)
				}
			}
			if hook.Timeout != nil && *hook.Timeout <= 0 {
				return name + "timeout", fmt.Sprintf("%d is not greater than zero", *hook.Timeout)
			}
		}
	}
	return "", ""
}
