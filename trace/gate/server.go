package gate

import (
	"errors"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"hull/stages"
	"hull/trace/snapshot"

	"golang.org/x/sys/unix"
)

const canceled = uint32(unix.ECANCELED)

// A Server keeps the gates of one instance.
type Server struct {
	// Faults allows faults: the instance was started with --debug.
	Faults bool

	mu       sync.Mutex
	sessions map[string]*session
	order    []string // of the sessions, oldest first
}

// maxSessions bounds the sessions that are remembered after their end: a step that asks later must still be told that its run has ended.
const maxSessions = 256

// Serve answers until the listener is closed.
func (s *Server) Serve(l *net.UnixListener) error {
	raw, err := l.SyscallConn()
	if err != nil {
		return err
	}
	// SO_PASSCRED, inherited by each connection: the kernel names the sender of each packet. A connection is inherited by a child, which then
	// is not the process that connected (unix(7)).
	var set error
	if err := errors.Join(raw.Control(func(fd uintptr) { set = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_PASSCRED, 1) }), set); err != nil {
		return err
	}
	for {
		c, err := l.AcceptUnix()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		go s.serve(newConn(c))
	}
}

func (s *Server) serve(c *conn) {
	defer c.end()
	for {
		in, ok := <-c.in
		if !ok {
			return
		}
		switch {
		case in.Arm != nil:
			s.debug(c, in.Arm)
			return
		case in.Down:
			s.down(c.uid)
			return
		case in.Hold != nil:
			s.hold(c, in.Hold)
			return
		case in.Pass != nil:
			if !s.pass(c, in.Pass, in.pid) {
				return
			}
		default:
			return
		}
	}
}

// find is the run's session, if the asking user may know of it.
func (s *Server) find(trace string, uid uint32) *session {
	if d := s.sessions[trace]; d != nil && (uid == 0 || uid == d.owner) {
		return d
	}
	return nil
}

// pass lets a step begin, sooner or later. It reports whether the connection is still of use.
func (s *Server) pass(c *conn, q *Question, pid int) bool {
	s.mu.Lock()
	d := s.find(q.Trace, c.uid)
	if d == nil {
		s.mu.Unlock()
		return c.send(answer(0, 0))
	}
	f := d.strike(q)
	if f != nil {
		d.conn.tell(Event{Struck: &Struck{Step: q.Step, Instance: q.Instance, Call: q.Call, Fault: f.text, Program: q.Program, PID: pid}})
		slog.Info("a fault strikes", stages.AttrStep, q.Step, "fault", f.text, stages.AttrPID, pid)
	}
	var w *waiting
	if f == nil && d.wants(q) {
		d.n++
		w = &waiting{q: q, pid: pid, n: d.n, open: make(chan []byte, 1)}
		d.queue = append(d.queue, w)
	}
	reply := d.verdict(q)
	first := w != nil && d.queue[0] == w
	s.mu.Unlock()

	switch {
	case f != nil && f.kill:
		kill(pid)
		<-c.in // its end
		return false
	case f != nil && f.errno != 0:
		return c.send(answer(uint32(f.errno), byFault))
	case f != nil:
		select {
		case <-time.After(f.delay):
		case <-d.over:
		case <-c.in:
			return false
		}
		s.mu.Lock()
		reply = d.verdict(q)
		s.mu.Unlock()
		return c.send(reply)
	case w == nil:
		return c.send(reply)
	}
	if first {
		s.show(d)
	}
	select {
	case reply = <-w.open:
		return c.send(reply)
	case <-c.in: // the process is gone; nothing else may be said while one waits
		s.mu.Lock()
		i := slices.Index(d.queue, w)
		if i >= 0 {
			d.queue = slices.Delete(d.queue, i, i+1)
			d.conn.tell(Event{Gone: w.n})
		}
		s.mu.Unlock()
		if i == 0 {
			s.show(d)
		}
		return false
	}
}

// show tells the debugger of the stop that is first in the queue, and what the kernel shows at this moment.
func (s *Server) show(d *session) {
	s.mu.Lock()
	if d.state != armed || len(d.queue) == 0 {
		s.mu.Unlock()
		return
	}
	w, seen := d.queue[0], d.seen
	s.mu.Unlock()
	now, seen := snapshot.Look(d.trace, w.pid, seen) // without the lock: /proc may be slow
	s.mu.Lock()
	defer s.mu.Unlock()
	d.seen = seen
	if d.state == armed && len(d.queue) > 0 && d.queue[0] == w {
		d.conn.tell(Event{Stop: &Stop{N: w.n, Step: w.q.Step, Instance: w.q.Instance, Call: w.q.Call, Program: w.q.Program, PID: w.pid, Now: now}})
	}
}

// kill ends the process that waits at its gate. It cannot have been replaced by another one: it holds the connection that it asked on.
func kill(pid int) {
	if fd, err := unix.PidfdOpen(pid, 0); err == nil {
		unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0)
		unix.Close(fd)
	}
}

// debug serves a debugger until it goes away.
func (s *Server) debug(c *conn, a *Arm) {
	d, err := s.arm(c, a)
	if err != nil {
		c.send(encode(Event{Error: err.Error()}))
		return
	}
	for {
		in, ok := <-c.in
		if !ok {
			break
		}
		switch {
		case in.End:
			s.end(d, ended)
		case in.Leave:
			s.end(d, left)
			c.tell(Event{Over: true}) // the last one
		case in.Break != "":
			if p, err := parsePattern(in.Break); err == nil { // the client has checked it
				s.mu.Lock()
				d.stops = append(d.stops, p)
				s.mu.Unlock()
			}
		case in.Go != nil:
			s.goOn(d, in.Go)
		}
	}
	// The debugger has gone without a word. Whoever could still stop the run owes it an end: nothing must wait for ever, or run on unseen.
	s.mu.Lock()
	to := left
	if len(d.queue) > 0 || d.until != toBreak || len(d.stops) > 0 {
		to = ended
	}
	s.mu.Unlock()
	s.end(d, to)
}

func (s *Server) end(d *session, to state) {
	s.mu.Lock()
	d.finish(to)
	s.mu.Unlock()
}

// arm makes the session, before the run begins.
func (s *Server) arm(c *conn, a *Arm) (*session, error) {
	d := &session{trace: a.Trace, owner: c.uid, conn: c, until: toBreak, over: make(chan struct{})}
	if a.Step {
		d.until = toStep
	}
	for _, text := range a.Break {
		p, err := parsePattern(text)
		if err != nil {
			return nil, err
		}
		d.stops = append(d.stops, p)
	}
	if len(a.Faults) > 0 && !s.Faults {
		return nil, &stages.Error{Kind: stages.Denied, Thing: "--fault", Err: errors.New("this instance allows no faults"), Hint: "start it with: hull up --debug"}
	}
	for _, text := range a.Faults {
		f, err := parseFault(text)
		if err != nil {
			return nil, err
		}
		d.fault = append(d.fault, f)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(a.Trace) != 32 || strings.Trim(a.Trace, "0123456789abcdef") != "" {
		return nil, &stages.Error{Kind: stages.Invalid, Thing: "trace " + a.Trace, Err: errors.New("not 32 hex digits")}
	}
	if s.sessions[a.Trace] != nil {
		return nil, &stages.Error{Kind: stages.Conflict, Thing: "trace " + a.Trace, Err: errors.New("it has a debugger")}
	}
	if s.sessions == nil {
		s.sessions = map[string]*session{}
	}
	s.sessions[a.Trace] = d
	s.order = append(s.order, a.Trace)
	if len(s.order) > maxSessions {
		for i, old := range s.order {
			if s.sessions[old].state != armed {
				delete(s.sessions, old)
				s.order = slices.Delete(s.order, i, i+1)
				break
			}
		}
	}
	c.tell(Event{Armed: true})
	return d, nil
}

// goOn opens the gate that is shown, and shows the next one that waits.
func (s *Server) goOn(d *session, g *Go) {
	s.mu.Lock()
	if d.state != armed || len(d.queue) == 0 || d.queue[0].n != g.Stop {
		s.mu.Unlock()
		return // it is gone meanwhile
	}
	w := d.queue[0]
	d.queue = d.queue[1:]
	switch g.To {
	case toStep, toCall, toBreak:
		d.until = g.To
	}
	w.open <- answer(0, 0)
	// What waits behind it, and is not wanted any more, goes on as well.
	kept := d.queue[:0]
	for _, x := range d.queue {
		if d.wants(x.q) {
			kept = append(kept, x)
		} else {
			x.open <- answer(0, 0)
		}
	}
	d.queue = kept
	s.mu.Unlock()
	s.show(d)
}

// hold answers when the run's session is over: what hulld waits for.
func (s *Server) hold(c *conn, q *Question) {
	s.mu.Lock()
	d := s.find(q.Trace, c.uid)
	if d != nil {
		d.holds.Add(1)
		defer d.holds.Done()
	}
	s.mu.Unlock()
	if d == nil {
		c.send(answer(0, 0))
		return
	}
	select {
	case <-d.over:
	case <-c.in: // hulld is gone
		return
	}
	s.mu.Lock()
	to := d.state
	s.mu.Unlock()
	if to == ended {
		c.send(answer(0, byEnd))
		<-c.in // it closes when it has cleaned up
		return
	}
	c.send(answer(0, 0))
}

// down ends all runs and returns when hulld has cleaned up after them.
func (s *Server) down(uid uint32) {
	s.mu.Lock()
	var all []*session
	for _, d := range s.sessions {
		if uid == 0 || uid == d.owner {
			d.finish(ended)
			all = append(all, d)
		}
	}
	s.mu.Unlock()
	for _, d := range all {
		d.holds.Wait()
	}
}
