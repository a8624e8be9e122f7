package span

import (
	"os"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// EnvSocket names the variable that tells a child where finished spans go; it travels with TRACEPARENT.
const (
	EnvParent = "TRACEPARENT"
	EnvSocket = "HULL_SPANS"
)

// maxPacket is the size at which a batch is sent without waiting for more: well below the smallest default send buffer.
const maxPacket = 48 << 10

// A Recorder sends one process's finished spans to hull-trace. A nil *Recorder records nothing.
type Recorder struct {
	Service   string // the binary's name: OpenTelemetry's service.name
	Socket    string // hull-trace's span socket
	LongLived bool   // send each span when it ends; otherwise all go at Close
	Marks     bool   // mark the threads that do kernel work: several requests go on in the process at once
	Bridge    Bridge // nil but in the binaries that use the OpenTelemetry SDK; set before the first span

	pid   int
	start uint64

	mu   sync.Mutex
	fd   int // -1 while not connected
	buf  []byte
	last [16]byte         // the trace that what is in buf belongs to: a packet is of one
	lost map[[16]byte]int // spans of each trace that could not be sent
}

// maxLost bounds the traces whose losses are remembered, while hull-trace is away.
const maxLost = 1024

// New makes the recorder of this process. It does not connect: an instance without hull-trace costs nothing until the first span, and
// then one errno.
func New(service, socket string, longLived bool) *Recorder {
	if socket == "" {
		return nil
	}
	return &Recorder{Service: service, Socket: socket, LongLived: longLived, Marks: longLived, fd: -1, pid: os.Getpid(), start: StartTime(os.Getpid())}
}

// FromEnv is a short-lived program's recorder and the parent its starter named, from the environment. Both are nothing for an
// untraced run.
func FromEnv(service string) (*Recorder, Context) {
	parent := Parse(os.Getenv(EnvParent))
	if !parent.Valid() {
		return nil, Context{}
	}
	return New(service, os.Getenv(EnvSocket), false), parent
}

// Env is the head of a traced child's environment block. TRACEPARENT must be its first string: the eBPF program reads only the block's
// first bytes. For an untraced context it is nil.
func Env(c Context, socket string) []string {
	if !c.Valid() {
		return nil
	}
	return []string{EnvParent + "=" + c.String(), EnvSocket + "=" + socket}
}

// WithoutEnv is env without the variables that Env adds, so that a child's block can be built anew.
func WithoutEnv(env []string) []string {
	kept := make([]string, 0, len(env))
	for _, e := range env {
		if !strings.HasPrefix(e, EnvParent+"=") && !strings.HasPrefix(e, EnvSocket+"=") {
			kept = append(kept, e)
		}
	}
	return kept
}

// StartTime is field 22 of /proc/PID/stat: when the process started, in clock ticks since boot (proc_pid_stat(5)). With the pid it
// names a process for good. It is 0 if there is no such process.
func StartTime(pid int) uint64 {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0
	}
	// The second field, the task's name, may itself contain spaces and parentheses; the last ')' ends it.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if len(fields) < 20 {
		return 0
	}
	t, _ := strconv.ParseUint(fields[19], 10, 64)
	return t
}

// take encodes a finished span and sends it, or keeps it for Close.
func (r *Recorder) take(f Finished) {
	if f.PID == 0 {
		f.PID, f.PIDStart = r.pid, r.start
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if f.Context.Trace != r.last {
		r.send()
		r.last = f.Context.Trace
	}
	r.buf = appendSpan(r.buf, f)
	if r.LongLived || len(r.buf) >= maxPacket {
		r.send()
	}
}

// Flush sends what has ended so far. A program that lives as long as a container, and is idle nearly always, calls it after each piece of
// work.
func (r *Recorder) Flush() {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.send()
}

// Close sends what is left. Spans that end later are lost.
func (r *Recorder) Close() {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.send()
	if r.fd >= 0 {
		unix.Close(r.fd)
		r.fd = -1
	}
}

// send hands the buffered spans over in one packet, without waiting. What cannot be sent is counted, and the count travels with the
// next packet of the same trace: losses are never silent, and never another run's.
func (r *Recorder) send() {
	if len(r.buf) == 0 {
		return
	}
	packet := appendTraces(nil, r.Service, r.lost[r.last], r.buf)
	spans := r.buf
	r.buf = r.buf[:0]
	for try := 0; try < 2; try++ {
		if r.fd < 0 && !r.connect() {
			break
		}
		err := unix.Sendto(r.fd, packet, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, nil)
		if err == nil {
			delete(r.lost, r.last)
			return
		}
		unix.Close(r.fd) // hull-trace may have been restarted: try a new connection, once
		r.fd = -1
	}
	if r.lost == nil || len(r.lost) >= maxLost {
		r.lost = map[[16]byte]int{}
	}
	r.lost[r.last] += countSpans(spans)
}

func (r *Recorder) connect() bool {
	fd, ok := dial(r.Socket, unix.SOCK_NONBLOCK)
	if ok {
		r.fd = fd
	}
	return ok
}

// dial connects to a SOCK_SEQPACKET socket; flags may be SOCK_NONBLOCK.
func dial(name string, flags int) (fd int, ok bool) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC|flags, 0)
	if err != nil {
		return -1, false
	}
	if len(name) > 107 { // see instance.Dial
		i := strings.LastIndexByte(name, '/')
		dir, err := unix.Open(name[:i], unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err != nil {
			unix.Close(fd)
			return -1, false
		}
		defer unix.Close(dir)
		name = "/proc/self/fd/" + strconv.Itoa(dir) + name[i:]
	}
	if err := unix.Connect(fd, &unix.SockaddrUnix{Name: name}); err != nil {
		unix.Close(fd)
		return -1, false
	}
	return fd, true
}
