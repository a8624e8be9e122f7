package stdio

import (
	"errors"
	"net/url"
	"os"
	"path/filepath"

	"hull/stages"
)

// A Spec is what a create or exec request says about a process's streams. Stdin is a FIFO's path; Stdout and Stderr are each a path (a
// FIFO or a file), or a URI: fifo://, file://, binary://. An empty one is /dev/null. With a terminal all output is stdout.
type Spec struct {
	Namespace string
	ID        string // the container's
	Terminal  bool
	Stdin     string
	Stdout    string
	Stderr    string
	UID, GID  int // owner of the pipes the container gets, for a container that does not start as root
}

// A target is a parsed output.
type target struct {
	scheme string // "", "fifo", "file", "binary"
	path   string
	query  url.Values
}

func parse(output string) (target, error) {
	if output == "" {
		return target{}, nil
	}
	if filepath.IsAbs(output) {
		info, err := os.Stat(output)
		if err != nil {
			return target{}, stepError(stages.Invalid, output, err)
		}
		if info.Mode()&os.ModeNamedPipe == 0 {
			return target{scheme: "file", path: output}, nil
		}
		return target{scheme: "fifo", path: output}, nil
	}
	u, err := url.Parse(output)
	if err != nil {
		return target{}, stepError(stages.Invalid, output, err)
	}
	switch u.Scheme {
	case "fifo", "file", "binary":
	default:
		return target{}, &stages.Error{
			Step: stages.ShimStdioOpen, Kind: stages.Unsupported, Thing: output,
			Err: errors.New("an output of this kind is not offered"), Hint: "a path, fifo://, file:// or binary://",
		}
	}
	if !filepath.IsAbs(u.Path) {
		return target{}, stepError(stages.Invalid, output, errors.New("the path is not absolute"))
	}
	return target{scheme: u.Scheme, path: u.Path, query: u.Query()}, nil
}

// ourselves reports whether path is the program that is running: then the log is written in this process.
func ourselves(path string) bool {
	self, err := os.Stat("/proc/self/exe")
	if err != nil {
		return false
	}
	other, err := os.Stat(path)
	return err == nil && os.SameFile(self, other)
}

func stepError(kind stages.Kind, thing string, err error) error {
	var path *os.PathError
	if errors.As(err, &path) {
		err = path.Err // the thing is named already
	}
	return &stages.Error{Step: stages.ShimStdioOpen, Kind: kind, Thing: thing, Err: err}
}
