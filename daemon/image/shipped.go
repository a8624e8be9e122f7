package image

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"hull/stages"
)

// shippedName is the image that comes with hull, so that the first run needs no registry.
const shippedName = "docker.io/hull/tiny:latest"

// shipped keeps two first runs from loading it twice.
var shipped sync.Mutex

// Shipped is Find for the image that comes with hull: the archive beside our own binary (make build puts it there) is loaded when the image is
// asked for and not there. Any other name is not found.
func (s *Images) Shipped(ctx context.Context, ref string) (*Image, error) {
	if name, err := Normalize(ref); err != nil || name != shippedName {
		return nil, notFound(ref)
	}
	shipped.Lock()
	defer shipped.Unlock()
	if img, err := s.Find(ctx, ref); err == nil {
		return img, nil
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	path := filepath.Join(filepath.Dir(self), "tiny.tar")
	f, err := os.Open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, notFound(ref)
	case err != nil:
		return nil, &stages.Error{Step: stages.DaemonImageResolve, Kind: stages.NotFound, Thing: path, Err: err}
	}
	defer f.Close()
	if err := s.Load(ctx, f, func(*Image) {}); err != nil {
		return nil, err
	}
	return s.Find(ctx, ref)
}
