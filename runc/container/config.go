package container

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"hull/runc/hook"
	"hull/stages"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// configLimit is the largest config.json that is read.
const configLimit = 16 << 20

// Load reads a bundle's config.json and checks that all it asks for is offered.
func Load(bundle string) (*specs.Spec, error) {
	file := filepath.Join(bundle, "config.json")
	var spec specs.Spec
	if err := readJSON(file, &spec); err != nil {
		return nil, err
	}
	if err := check(stages.RuncCreate, &spec); err != nil {
		return nil, err
	}
	return &spec, nil
}

// readJSON reads one of the documents that are given to us.
func readJSON(file string, into any) error {
	refuse := func(kind stages.Kind, err error) error {
		return &stages.Error{Step: stages.RuncCreate, Kind: kind, Thing: file, Err: err}
	}
	f, err := os.Open(file)
	if err != nil {
		return refuse(stages.NotFound, errors.Unwrap(err))
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, configLimit+1))
	switch {
	case err != nil:
		return refuse(stages.Internal, err)
	case len(text) > configLimit:
		return refuse(stages.Invalid, fmt.Errorf("more than %d bytes", configLimit))
	case bytes.Contains(text, []byte(`\u0000`)):
		return refuse(stages.Invalid, fmt.Errorf("a string holds a NUL character, which would end it for the kernel"))
	}
	if err := json.Unmarshal(text, into); err != nil {
		return refuse(stages.Invalid, jsonError(err))
	}
	return nil
}

// check holds a specification against what is offered.
func check(step stages.ID, spec *specs.Spec) error {
	for _, c := range checks {
		if field, problem := c.test(spec); field != "" {
			return &stages.Error{Step: step, Kind: c.kind, Thing: field, Err: errors.New(problem)}
		}
	}
	return nil
}

// jsonError names the field, where the decoder knows it.
func jsonError(err error) error {
	var typ *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &typ) && typ.Field != "":
		return fmt.Errorf("%s: a JSON %s does not fit %s", typ.Field, typ.Value, typ.Type)
	case errors.As(err, &syntax):
		return fmt.Errorf("not JSON: %w at byte %d", err, syntax.Offset)
	}
	return err
}

// checks are what a specification is held against, in order. Each answers with the field and what is wrong with it, or "".
var checks = []struct {
	kind stages.Kind
	test func(*specs.Spec) (field, problem string)
}{
	{stages.Invalid, func(s *specs.Spec) (string, string) {
		if !strings.HasPrefix(s.Version, "1.") {
			return "ociVersion", fmt.Sprintf("%q is not version 1", s.Version)
		}
		return "", ""
	}},
	{stages.Invalid, func(s *specs.Spec) (string, string) {
		switch {
		case s.Root == nil || s.Root.Path == "":
			return "root.path", "it is missing"
		case s.Linux == nil:
			return "linux", "it is missing"
		case s.Process == nil:
			return "process", "it is missing"
		case len(s.Process.Args) == 0 || s.Process.Args[0] == "":
			return "process.args", "it is empty"
		case !filepath.IsAbs(s.Process.Cwd):
			return "process.cwd", fmt.Sprintf("%q is not an absolute path", s.Process.Cwd)
		}
		return "", ""
	}},
	{stages.Invalid, func(s *specs.Spec) (string, string) {
		for i, e := range s.Process.Env {
			if name, _, ok := strings.Cut(e, "="); !ok || name == "" {
				return fmt.Sprintf("process.env[%d]", i), fmt.Sprintf("%q is not NAME=VALUE", e)
			}
		}
		return "", ""
	}},
	{stages.Invalid, func(s *specs.Spec) (string, string) { return badUser(s.Process.User) }},
	{stages.Invalid, func(s *specs.Spec) (string, string) {
		// struct winsize has 16 bits for each (ioctl_tty(2)); without a terminal the size is of no effect.
		if size := s.Process.ConsoleSize; s.Process.Terminal && size != nil && (size.Height > math.MaxUint16 || size.Width > math.MaxUint16) {
			return "process.consoleSize", "more than 65535"
		}
		return "", ""
	}},
	{stages.Invalid, func(s *specs.Spec) (string, string) {
		const longest = 64 // __NEW_UTS_LEN, sethostname(2)
		if s.Process.OOMScoreAdj != nil && (*s.Process.OOMScoreAdj < -1000 || *s.Process.OOMScoreAdj > 1000) {
			return "process.oomScoreAdj", "it is not between -1000 and 1000"
		}
		if len(s.Hostname) > longest || len(s.Domainname) > longest {
			return "hostname", fmt.Sprintf("more than %d bytes", longest)
		}
		for _, n := range s.Linux.Namespaces {
			if n.Type == specs.UTSNamespace {
				return "", ""
			}
		}
		if s.Hostname != "" || s.Domainname != "" {
			return "hostname", "the container has no uts namespace of its own: this would change the host"
		}
		return "", ""
	}},
	{stages.Invalid, func(s *specs.Spec) (string, string) { return hook.Check(s.Hooks) }},
	{stages.Unsupported, func(s *specs.Spec) (string, string) {
		l := s.Linux
		for _, f := range []struct {
			name  string
			given bool
		}{
			{"linux.mountLabel", l.MountLabel != ""},
			{"linux.intelRdt", l.IntelRdt != nil},
			{"linux.netDevices", len(l.NetDevices) > 0},
			{"vm", s.VM != nil},
			{"windows", s.Windows != nil},
			{"solaris", s.Solaris != nil},
			{"zos", s.ZOS != nil},
		} {
			if f.given {
				return f.name, "this is not offered"
			}
		}
		return "", ""
	}},
}

// noID is what setresuid(2) and its like take for "leave it as it is": as a user it would be ours.
const noID = math.MaxUint32

// badUser says what is wrong with the process's user.
func badUser(u specs.User) (field, problem string) {
	switch {
	case u.UID == noID:
		return "process.user.uid", "4294967295 is no user id"
	case u.GID == noID:
		return "process.user.gid", "4294967295 is no group id"
	case slices.Contains(u.AdditionalGids, noID):
		return "process.user.additionalGids", "4294967295 is no group id"
	case u.Umask != nil && *u.Umask > 0o777:
		return "process.user.umask", fmt.Sprintf("%#o is above 0777", *u.Umask)
	}
	return "", ""
}

// LoadProcess reads the document of one process.
func LoadProcess(file string) (*specs.Process, error) {
	var p specs.Process
	return &p, readJSON(file, &p)
}

// FirstProcess is the container's first process, as its bundle has it now.
func FirstProcess(root, id string) (*specs.Process, error) {
	s, err := Find(root, id)
	if err != nil {
		return nil, err
	}
	spec, err := Load(s.Bundle)
	if err != nil {
		return nil, err
	}
	return spec.Process, nil
}
