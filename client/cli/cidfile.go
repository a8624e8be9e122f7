package cli

import (
	"errors"
	"fmt"
	"os"
)

// A cidFile is the file of --cidfile: it is there, empty, from before the request, so that two runs cannot have the same one, and goes
// again if no container comes of it.
type cidFile struct {
	file    *os.File // nil: the flag was not given
	written bool
}

// newCIDFile makes the file, which must not exist.
func newCIDFile(path string) (*cidFile, error) {
	if path == "" {
		return &cidFile{}, nil
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if errors.Is(err, os.ErrExist) {
		return nil, errors.New("container ID file found, make sure the other container isn't running or delete " + path)
	}
	if err != nil {
		return nil, fmt.Errorf("failed to create the container ID file: %w", err)
	}
	return &cidFile{file: f}, nil
}

func (c *cidFile) write(id string) error {
	if c.file == nil {
		return nil
	}
	if _, err := c.file.WriteString(id); err != nil {
		return fmt.Errorf("failed to write the container ID (%s) to file: %w", id, err)
	}
	c.written = true
	return nil
}

func (c *cidFile) close() {
	if c.file == nil {
		return
	}
	c.file.Close()
	if !c.written {
		os.Remove(c.file.Name())
	}
}
