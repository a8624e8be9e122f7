package cgroup

import (
	"errors"
	"maps"
	"slices"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"hull/stages"
)

// unified plans the spec's own v2 files, "memory.high": "…" and so on, which are written as they are. They come last, so they win over
// the converted v1 values.
func unified(r *specs.LinuxResources, version versionOf) (rows []row, err error) {
	for _, file := range slices.Sorted(maps.Keys(r.Unified)) {
		controller, knob, ok := strings.Cut(file, ".")
		switch {
		case !ok || knob == "" || controller == "" || strings.Contains(file, "/"):
			return nil, cannot(stages.Invalid, "unified", file, errors.New("not the name of a controller's file"))
		case controller == "cgroup":
			// cgroup.procs, cgroup.kill, cgroup.subtree_control, … move or end processes; they are not limits.
			return nil, cannot(stages.Unsupported, "unified", file, errors.New("only a controller's files can be set"))
		case version(controller, controller) != 2:
			return nil, cannot(stages.Unsupported, controller, file, errors.New("the controller is not on cgroup v2 here"))
		}
		rows = append(rows, row{controller: controller, file: file, value: r.Unified[file]})
	}
	return rows, nil
}
