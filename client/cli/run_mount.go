package cli

import (
	"encoding/csv"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/docker/go-units"

	"hull/client/engine"
)

// mountValues are the values of --mount: type=bind,source=PATH,target=PATH[,…].
type mountValues []engine.Mount

func (v *mountValues) Type() string   { return "mount" }
func (v *mountValues) String() string { return "" }

func (v *mountValues) Set(s string) error {
	if s = strings.TrimSpace(s); s == "" {
		return errors.New("value is empty")
	}
	fields, err := csv.NewReader(strings.NewReader(s)).Read() // a path with a comma in it may be quoted
	if err != nil {
		return err
	}
	m := mountFields{Mount: engine.Mount{Type: "volume"}}
	for _, field := range fields {
		if err := m.read(field); err != nil {
			return err
		}
	}
	if err := m.check(); err != nil {
		return err
	}
	*v = append(*v, m.Mount)
	return nil
}

// mountFields is a mount while its fields are read.
type mountFields struct {
	engine.Mount
	foreign string // an option of another type of mount than bind and tmpfs
}

func (m *mountFields) bind() *engine.BindOptions {
	if m.BindOptions == nil {
		m.BindOptions = &engine.BindOptions{}
	}
	return m.BindOptions
}

func (m *mountFields) tmpfs() *engine.TmpfsOptions {
	if m.TmpfsOptions == nil {
		m.TmpfsOptions = &engine.TmpfsOptions{}
	}
	return m.TmpfsOptions
}

// read takes one NAME=VALUE; some names may stand alone.
func (m *mountFields) read(field string) (err error) {
	name, value, assigns := strings.Cut(field, "=")
	switch {
	case strings.TrimSpace(name) != name:
		return fmt.Errorf("invalid option '%s' in '%s': option should not have whitespace", strings.TrimSpace(name), field)
	case assigns && strings.TrimSpace(value) == "":
		return fmt.Errorf("invalid value for '%s': value is empty", name)
	case strings.TrimSpace(value) != value:
		return fmt.Errorf("invalid value for '%s' in '%s': value should not have whitespace", name, field)
	}
	name = strings.ToLower(name)
	switch name {
	case "readonly", "ro":
		m.ReadOnly, err = mountBool(name, value, assigns)
		return err
	case "bind-create-src":
		m.bind().CreateMountpoint, err = mountBool(name, value, assigns)
		return err
	case "bind-nonrecursive":
		m.bind().NonRecursive, err = mountBool(name, value, assigns)
		return err
	case "volume-nocopy":
		m.foreign = name
		return nil
	}
	if !assigns {
		return fmt.Errorf("invalid field '%s' must be a key=value pair", field)
	}
	switch name {
	case "type":
		m.Type = strings.ToLower(value)
	case "source", "src":
		m.Source = value
		if strings.HasPrefix(value, ".") {
			m.Source, err = filepath.Abs(value)
		}
	case "target", "dst", "destination":
		m.Target = value
	case "consistency":
		m.Consistency = strings.ToLower(value)
	case "bind-propagation":
		m.bind().Propagation = strings.ToLower(value)
	case "bind-recursive":
		return m.recursive(name, value)
	case "tmpfs-size":
		if m.tmpfs().SizeBytes, err = units.RAMInBytes(value); err != nil {
			return fmt.Errorf("invalid value for %s: %s", name, value)
		}
	case "tmpfs-mode":
		mode, err := strconv.ParseUint(value, 8, 32)
		if err != nil {
			return fmt.Errorf("invalid value for %s: %s", name, value)
		}
		m.tmpfs().Mode = uint32(mode)
	case "volume-subpath", "volume-label", "volume-driver", "volume-opt", "image-subpath":
		m.foreign = name
	default:
		return fmt.Errorf("unexpected key '%s' in '%s'", name, field)
	}
	return err
}

// recursive says what becomes of the mounts below the source.
func (m *mountFields) recursive(name, value string) error {
	switch value {
	case "enabled":
		m.bind()
	case "disabled":
		m.bind().NonRecursive = true
	case "writable":
		m.bind().ReadOnlyNonRecursive = true
	case "readonly":
		m.bind().ReadOnlyForceRecursive = true
	default:
		return fmt.Errorf(`invalid value for %s: %s (must be "enabled", "disabled", "writable", or "readonly")`, name, value)
	}
	return nil
}

func mountBool(name, value string, assigns bool) (bool, error) {
	switch {
	case !assigns || value == "true" || value == "1":
		return true, nil
	case value == "false" || value == "0":
		return false, nil
	}
	return false, fmt.Errorf("invalid value for %s: %s", name, value)
}

// check holds the fields against each other.
func (m *mountFields) check() error {
	switch m.Type {
	case "bind", "tmpfs":
	case "volume", "image", "npipe", "cluster":
		return fmt.Errorf("type=%s is not offered yet (use type=bind or type=tmpfs)", m.Type)
	}
	kind, _, _ := strings.Cut(m.foreign, "-")
	switch {
	case m.foreign != "":
		return fmt.Errorf("cannot mix '%s-*' options with mount type '%s'", kind, m.Type)
	case m.Target == "":
		return errors.New("target is required")
	case m.BindOptions != nil && m.Type != "bind":
		return fmt.Errorf("cannot mix 'bind-*' options with mount type '%s'", m.Type)
	case m.TmpfsOptions != nil && m.Type != "tmpfs":
		return fmt.Errorf("cannot mix 'tmpfs-*' options with mount type '%s'", m.Type)
	}
	if b := m.BindOptions; b != nil && b.ReadOnlyForceRecursive {
		switch {
		case !m.ReadOnly:
			return errors.New("option 'bind-recursive=readonly' requires 'readonly' to be specified in conjunction")
		case b.Propagation != "rprivate":
			return errors.New("option 'bind-recursive=readonly' requires 'bind-propagation=rprivate' to be specified in conjunction")
		}
	}
	return nil
}
