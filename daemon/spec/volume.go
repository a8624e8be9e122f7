package spec

import (
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
)

// volumePoint is a volume without a name: the image's VOLUME, or -v DIR. Until there are volumes it is a directory beside the container's
// record, which begins with what the image has there and goes when the container goes.
func volumePoint(dir string) (p point, err error) {
	p = point{volume: true, MountPoint: container.MountPoint{Type: mount.TypeVolume, Driver: "local", RW: true}}
	if p.Destination, err = destination(dir); err != nil {
		return p, invalid("invalid volume specification: '%s': %w", dir, err)
	}
	p.options = []string{"rbind", "rprivate"}
	return p, nil
}

// Volumes are the directories of the container's volumes.
func Volumes(c *container.Config, h *container.HostConfig) (dirs []string, err error) {
	list, err := readPoints(c, h)
	for _, p := range list {
		if p.volume {
			dirs = append(dirs, p.Destination)
		}
	}
	return dirs, err
}
