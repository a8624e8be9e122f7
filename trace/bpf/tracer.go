package bpf

import (
	"errors"
	"fmt"
	"os"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"github.com/cilium/ebpf/ringbuf"
	"golang.org/x/sys/unix"
)

// A Tracer is the loaded programs. One goroutine may call Read; the other methods may be called by any.
type Tracer struct {
	objs     hullObjects
	life     []link.Link // the six on processes and cgroups
	syscalls []link.Link // the two on system calls, while wanted
	ring     *ringbuf.Reader
}

// Open loads all programs and attaches the six lifecycle ones. The error says why the kernel side is absent: no right to load BPF
// (EPERM), no type information (/sys/kernel/btf/vmlinux), or what the verifier said.
func Open() (*Tracer, error) {
	spec, err := loadHull()
	if err != nil {
		return nil, err
	}
	if err := spec.Variables[hullVarWant].Set(wanted()); err != nil {
		return nil, err
	}
	t := &Tracer{}
	if err := spec.LoadAndAssign(&t.objs, nil); err != nil {
		return nil, reason(err)
	}
	t.ring, err = ringbuf.NewReader(t.objs.Ring)
	if err != nil {
		t.Close()
		return nil, err
	}
	p := t.objs.hullPrograms
	t.life, err = attach([]hook{
		{"task_newtask", p.OnClone},
		{"sched_process_exec", p.OnExec},
		{"sched_process_exit", p.OnExit},
		{"signal_generate", p.OnSignal},
		{"cgroup_mkdir", p.OnCgroupMkdir},
		{"cgroup_attach_task", p.OnCgroupAttach},
	})
	if err != nil {
		t.Close()
		return nil, err
	}
	return t, nil
}

// reason keeps the errno. cilium's own text guesses at the memory limit where the kernel refuses a program by policy.
func reason(err error) error {
	var errno unix.Errno
	var verifier *ebpf.VerifierError
	if errors.As(err, &verifier) && len(verifier.Log) > 0 {
		return err
	}
	if errors.As(err, &errno) {
		switch errno {
		case unix.EPERM, unix.EACCES:
			return fmt.Errorf("no BPF rights: bpf(2) %w", errno)
		default:
			return fmt.Errorf("bpf(2): %w", errno)
		}
	}
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("no BTF: %w", err)
	}
	return err
}

type hook struct {
	tracepoint string
	program    *ebpf.Program
}

func attach(hooks []hook) ([]link.Link, error) {
	var links []link.Link
	for _, h := range hooks {
		l, err := link.AttachRawTracepoint(link.RawTracepointOptions{Name: h.tracepoint, Program: h.program})
		if err != nil {
			detach(links)
			return nil, fmt.Errorf("attach %s: %w", h.tracepoint, reason(err))
		}
		links = append(links, l)
	}
	return links, nil
}

func detach(links []link.Link) {
	for _, l := range links {
		l.Close()
	}
}

// Syscalls attaches or detaches the two programs that cost every process on the machine something. Calls must not overlap.
func (t *Tracer) Syscalls(on bool) (err error) {
	switch {
	case on && t.syscalls == nil:
		t.syscalls, err = attach([]hook{{"sys_exit", t.objs.OnSysExit}, {"sys_enter", t.objs.OnSysEnter}})
	case !on:
		detach(t.syscalls)
		t.syscalls = nil
	}
	return err
}

// Begin makes a trace known: from now on a process that is executed with its TRACEPARENT belongs to it. traceID is 32 hex digits; handle
// is the number that the trace's events carry, not 0.
func (t *Tracer) Begin(traceID string, handle uint64) error {
	if err := t.objs.Traces.Put(handle, uint64(0)); err != nil {
		return fmt.Errorf("bpf map traces: %w", err)
	}
	if err := t.objs.Known.Put([]byte(traceID), handle); err != nil {
		return fmt.Errorf("bpf map known: %w", err)
	}
	return nil
}

// Track puts a process that is already there into a trace. Of a daemon only the threads that mark themselves are recorded, and its
// children inherit nothing.
func (t *Tracer) Track(pid int, handle uint64, daemon bool) error {
	m := hullMember{Trace: handle}
	if daemon {
		m.Threads = 1
	}
	if err := t.objs.Tracked.Put(uint32(pid), m); err != nil {
		return fmt.Errorf("bpf map tracked: %w", err)
	}
	return nil
}

// Untrack drops one process: nothing more of it is recorded.
func (t *Tracer) Untrack(pid int) { t.objs.Tracked.Delete(uint32(pid)) }

// End forgets the trace and every process in it, and returns how many of its events the ring had no room for.
func (t *Tracer) End(traceID string, handle uint64) (lost uint64) {
	lost = t.Lost(handle)
	t.objs.Known.Delete([]byte(traceID))
	t.objs.Traces.Delete(handle)
	var pid uint32
	var m hullMember
	var gone []uint32
	for it := t.objs.Tracked.Iterate(); it.Next(&pid, &m); {
		if m.Trace == handle {
			gone = append(gone, pid)
		}
	}
	for _, pid := range gone {
		t.objs.Tracked.Delete(pid)
	}
	return lost
}

// Lost is how many of the trace's events the ring had no room for.
func (t *Tracer) Lost(handle uint64) (lost uint64) {
	t.objs.Traces.Lookup(handle, &lost)
	return lost
}

// Read waits for the next event. It returns os.ErrClosed after Close, and [ErrFlushed] when everything that was in the ring at the call of
// Flush has been returned.
func (t *Tracer) Read(e *Event) error {
	for {
		rec := ringbuf.Record{RawSample: e.raw}
		if err := t.ring.ReadInto(&rec); err != nil {
			return err
		}
		e.raw = rec.RawSample
		if err := e.decode(); err != nil || !e.noise() {
			return err
		}
	}
}

// ErrFlushed is Read's answer to Flush.
var ErrFlushed = ringbuf.ErrFlushed

// Flush makes Read return what is in the ring now and then ErrFlushed.
func (t *Tracer) Flush() error { return t.ring.Flush() }

// Close detaches everything. The kernel frees the programs and maps.
func (t *Tracer) Close() {
	detach(t.syscalls)
	detach(t.life)
	if t.ring != nil {
		t.ring.Close()
	}
	t.objs.Close()
}
