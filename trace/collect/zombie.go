package collect

import (
	"hull/stages"
	"hull/trace/model"
)

// diedUnderRuntime reports whether a program that a runtime of the shim's had started was dead before the runtime left, by the kernel's own
// account: as a zombie it went to the shim, and the tracer follows no zombies.
func (r *run) diedUnderRuntime(shim model.Proc) bool {
	runtimes, executed := map[model.Proc]bool{}, map[model.Proc]bool{}
	for i := range r.events {
		switch e := &r.events[i]; {
		case e.Kind == stages.EventExec && e.Parent == shim:
			runtimes[e.Proc] = true
		case e.Kind == stages.EventExec:
			executed[e.Proc] = true
		case e.Kind == stages.EventExit && executed[e.Proc] && runtimes[e.Parent]:
			return true
		}
	}
	return false
}
