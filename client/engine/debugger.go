package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"

	"hull/stages"
	"hull/stages/instance"
)

// A Debugger is the client's end of the gates of one run (docs/seams.md, section 4): it is told of each stop and lets the run go on. While its
// connection is open the run waits; when it closes at a stop, the run ends and is cleaned up.
type Debugger struct {
	conn *net.UnixConn
	buf  []byte
}

// An Arming is what the user wants to stop at, and which faults strike.
type Arming struct {
	Trace  string   `json:"trace"`
	Step   bool     `json:"step"`
	Break  []string `json:"break"`
	Faults []string `json:"faults"`
}

// A GateEvent is one thing that the debugger is told.
type GateEvent struct {
	Armed  bool    `json:"armed"`
	Error  string  `json:"error"`
	Stop   *Stop   `json:"stop"`
	Gone   int     `json:"gone"` // the process that waited at this stop has ended
	Struck *Struck `json:"struck"`
	Over   bool    `json:"over"` // the answer to Leave: nothing comes after it
}

// A Stop is a step that waits, and what the kernel shows at this moment.
type Stop struct {
	N        int    `json:"n"`
	Step     string `json:"step"`
	Instance string `json:"instance"`
	Call     string `json:"call"` // the system call, for a row of the first process's table
	Program  string `json:"program"`
	PID      int    `json:"pid"`
	Now      []struct {
		Title string   `json:"title"`
		Lines []string `json:"lines"`
	} `json:"now"`
}

// A Struck tells of a fault that struck.
type Struck struct {
	Step     string `json:"step"`
	Instance string `json:"instance"`
	Call     string `json:"call"`
	Fault    string `json:"fault"`
	Program  string `json:"program"`
	PID      int    `json:"pid"`
}

// Debug arms the gates of a run that has not begun.
func Debug(ctx context.Context, socket string, a Arming) (*Debugger, error) {
	conn, err := instance.Dial(ctx, "unixpacket", socket)
	if err != nil {
		return nil, &stages.Error{Kind: stages.Unavailable, Thing: socket, Err: fmt.Errorf("cannot reach hull-trace: %w", cause(err)), Hint: "see: hull status"}
	}
	d := &Debugger{conn: conn, buf: make([]byte, 256<<10)}
	err = d.send(map[string]any{"arm": a})
	var e GateEvent
	if err == nil {
		e, err = d.Next()
	}
	if err == nil && !e.Armed {
		err = errors.New(e.Error)
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return d, nil
}

// Next waits for the next event. io.EOF says that hull-trace is gone: the run goes on without gates.
func (d *Debugger) Next() (e GateEvent, err error) {
	n, err := d.conn.Read(d.buf)
	if err == nil && n == 0 {
		err = io.EOF
	}
	if err == nil {
		err = json.Unmarshal(d.buf[:n], &e)
	}
	return e, err
}

// Go lets the step of the stop begin. to says where the run stops next: step, call (each row of the first process's table as well), or break.
func (d *Debugger) Go(stop int, to string) error {
	return d.send(map[string]any{"go": map[string]any{"stop": stop, "to": to}})
}

// Break adds a place to stop at.
func (d *Debugger) Break(pattern string) error { return d.send(map[string]any{"break": pattern}) }

// End ends the run: steps that have not begun fail, and what there is of the container is removed.
func (d *Debugger) End() error { return d.send(map[string]any{"end": true}) }

// Leave says that the client is about to be done: no gate holds any more.
func (d *Debugger) Leave() error { return d.send(map[string]any{"leave": true}) }

// EndDebugged ends all runs that have a debugger, and returns when what there was of their containers is removed. An instance without hull-trace
// has none.
func EndDebugged(ctx context.Context, socket string) {
	conn, err := instance.Dial(ctx, "unixpacket", socket)
	if err != nil {
		return
	}
	defer conn.Close()
	if _, err := conn.Write([]byte(`{"down":true}`)); err == nil {
		conn.Read(make([]byte, 1)) // until it closes
	}
}

// Close closes the connection.
func (d *Debugger) Close() { d.conn.Close() }

func (d *Debugger) send(v any) error {
	b, err := json.Marshal(v)
	if err == nil {
		_, err = d.conn.Write(b)
	}
	return err
}
