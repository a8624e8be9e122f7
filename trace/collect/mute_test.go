package collect_test

import (
	"testing"

	"hull/trace/model"

	"github.com/stretchr/testify/require"
)

// TestKernelMuteRuntime drives Debian's runc, which does everything and says nothing: its steps are there, claimed by the kernel.
func TestKernelMuteRuntime(t *testing.T) {
	runc := debianRunc(t)
	dir, id := bundle(t, "exit 3")
	tr := start(t)
	ctx := tr.begin(0)
	tr.run(ctx, nil, actor(t, "hull-shim"), runc, t.TempDir(), dir, id)
	trace := tr.end(ctx)
	for _, p := range trace.Processes {
		t.Logf("%+v", p)
	}
	for _, s := range trace.Spans {
		t.Logf("%s %s %s %s %v | %s", s.Name, s.Instance, s.Claim, s.Proof, s.Proc, s.Because)
	}
	for _, name := range []string{
		"shim.subreaper", "shim.runtime.create", "shim.runtime.start", "shim.adopt", "shim.reap", "runc.create", "runc.cgroup.create", "runc.ns.create",
		"runc.cgroup.join", "runc.init.propagation", "runc.init.mounts", "runc.init.pivot_root", "runc.init.masked_paths",
		"runc.init.hostname", "runc.init.capabilities", "runc.init.no_new_privs", "runc.create.exit", "runc.start", "runc.init.exec", "runc.delete",
		"container.running", "container.exit",
	} {
		rows := spansOf(trace, name)
		require.NotEmpty(t, rows, "no row %s", name)
		require.Equal(t, model.ClaimKernel, rows[0].Claim, name)
		require.Equal(t, model.Proved, rows[0].Proof, name)
	}
}
