package engine

import (
	"os"

	"hull/daemon/layers"
	"hull/daemon/spec"
	"hull/daemon/store"
	"hull/stages"

	"github.com/moby/moby/api/types/container"
)

// volumes are the directories of the container's volumes, by their place in it.
func (e *Engine) volumes(rec *store.Record) (map[string]string, error) {
	places, err := spec.Volumes(rec.Config, rec.HostConfig)
	dirs := map[string]string{}
	for i, place := range places {
		dirs[place] = e.store.Volume(rec.ID, i)
	}
	return dirs, err
}

// fillVolumes makes them, with what the image has in their places: content, owners and modes.
func (e *Engine) fillVolumes(rec *store.Record, image *layers.Stack) error {
	dirs, err := e.volumes(rec)
	if err != nil {
		return err
	}
	for place, dir := range dirs {
		err := os.MkdirAll(dir, 0o755)
		if err == nil {
			err = image.CopyTo(dir, place)
		}
		if err != nil {
			return &stages.Error{Step: stages.DaemonContainerCreate, Thing: "volume " + place, Err: err}
		}
	}
	return nil
}

// points are the container's mounts as inspect tells them.
func (e *Engine) points(rec *store.Record) ([]container.MountPoint, error) {
	dirs, err := e.volumes(rec)
	if err != nil {
		return nil, err
	}
	return spec.Points(rec.Config, rec.HostConfig, dirs)
}
