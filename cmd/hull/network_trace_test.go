package main_test

import (
	"strings"
	"testing"

	"hull/stages/probetest"
	"hull/trace/model"

	"github.com/stretchr/testify/require"
)

// TestTraceOfANetwork: each namespace, link, address, route, port and rule is a step, and hull-trace has found it in the kernel itself.
func TestTraceOfANetwork(t *testing.T) {
	probetest.Need(t, "btf")
	w := newWorld(t)
	w.ok("run", "--rm", "--trace", "-p", "127.0.0.1:8080:80", "-p", "5353:53/udp", "busybox", "true")
	first := w.networkSteps(w.trace())
	require.Equal(t, []string{
		"daemon.network.allocate none",
		"daemon.network.bridge hull-" + w.inst.Hash() + " proved",
		"daemon.network.forward proved",
		"daemon.network.rule masquerade 172.17.0.0/16 proved",
		"daemon.network.rule forward to hull-" + w.inst.Hash() + " proved",
		"daemon.network.rule guard 127.0.0.0/8 proved",
		"daemon.network.plug none",
		"daemon.network.namespace proved",
		"daemon.network.veth proved",
		"daemon.network.address proved",
		"daemon.network.route proved",
		"daemon.network.port udp 0.0.0.0:5353 proved",
		"daemon.network.port tcp 127.0.0.1:8080 proved",
		"daemon.network.rule udp 0.0.0.0:5353 -> 172.17.0.2:53 proved",
		"daemon.network.rule tcp 127.0.0.1:8080 -> 172.17.0.2:80 proved",
	}, first)

	// The network is there now: the next run only joins it. Somebody takes the rules away meanwhile, and no claim covers that up.
	w.ok("run", "--rm", "--trace", "busybox", "true")
	require.Equal(t, []string{
		"daemon.network.allocate none", "daemon.network.plug none", "daemon.network.namespace proved", "daemon.network.veth proved",
		"daemon.network.address proved", "daemon.network.route proved",
	}, w.networkSteps(w.trace()))
	require.NotContains(t, w.ok("trace", "show", "last"), "runc.init.loopback", "the namespace was there before the runtime")
}

// networkSteps are the trace's steps about the network, in order, with their verdicts.
func (w *world) networkSteps(tr model.Trace) (list []string) {
	for _, s := range tr.Spans {
		if strings.HasPrefix(s.Name, "daemon.network.") {
			list = append(list, strings.Join(strings.Fields(s.Name+" "+s.Instance+" "+string(s.Proof)), " "))
			if s.Proof == model.Unproved {
				w.t.Logf("%s %s: %s", s.Name, s.Instance, s.Because)
			}
		}
	}
	return list
}
