package process

import (
	"fmt"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

var ioClasses = [...]named{{string(specs.IOPRIO_CLASS_RT), 1}, {string(specs.IOPRIO_CLASS_BE), 2}, {string(specs.IOPRIO_CLASS_IDLE), 3}}

// ioPriorityOf is what ioprio_set(2) takes: the class from bit 13 on, and the priority, 0 (first) to 7 (last).
func ioPriorityOf(io *specs.LinuxIOPriority) (int, error) {
	if io == nil {
		return 0, nil
	}
	class, ok := find(ioClasses[:], string(io.Class))
	if !ok {
		return 0, fmt.Errorf("there is no class %q", io.Class)
	}
	if io.Priority < 0 || io.Priority > 7 {
		return 0, fmt.Errorf("priority %d is not between 0 and 7", io.Priority)
	}
	return class<<13 | io.Priority, nil
}
