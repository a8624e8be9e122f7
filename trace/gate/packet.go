package gate

import (
	"encoding/binary"
	"encoding/json"

	"hull/trace/snapshot"
)

// A packet is what comes in: exactly one member is set.
type packet struct {
	Arm   *Arm      `json:"arm"`
	Pass  *Question `json:"pass"`
	Hold  *Question `json:"hold"`
	Go    *Go       `json:"go"`
	Break string    `json:"break"` // one more pattern to stop at
	End   bool      `json:"end"`   // end the run and clean up
	Down  bool      `json:"down"`  // end all runs, and answer when they are cleaned up: the instance is about to be taken down
	Leave bool      `json:"leave"` // the run is over for the debugger
}

// An Arm is the debugger's first packet.
type Arm struct {
	Trace  string   `json:"trace"`
	Step   bool     `json:"step"`   // stop at every step
	Break  []string `json:"break"`  // stop at these
	Faults []string `json:"faults"` // STEP=kill, STEP=delay:DUR, STEP=errno:NAME
}

// A Question is a step that asks whether it may begin.
type Question struct {
	Trace    string `json:"trace"`
	Step     string `json:"step"`
	Instance string `json:"instance"`
	Call     string `json:"call"`  // of a row of init's table
	Inner    bool   `json:"inner"` // not the first row of its step
	Program  string `json:"program"`
}

// A Go lets the step that is shown begin.
type Go struct {
	Stop int    `json:"stop"`
	To   string `json:"to"` // step: stop at the next one; call: at the next row of init's table, too; break: at breakpoints only
}

// An Event is what the debugger is told.
type Event struct {
	Armed  bool    `json:"armed,omitempty"`
	Error  string  `json:"error,omitempty"` // the arm was refused
	Stop   *Stop   `json:"stop,omitempty"`
	Gone   int     `json:"gone,omitempty"` // the process that waited at this stop has ended
	Struck *Struck `json:"struck,omitempty"`
	Over   bool    `json:"over,omitempty"` // the answer to leave: nothing comes after it
}

// A Stop is a step that waits for the debugger.
type Stop struct {
	N        int                `json:"n"`
	Step     string             `json:"step"`
	Instance string             `json:"instance,omitempty"`
	Call     string             `json:"call,omitempty"`
	Program  string             `json:"program"`
	PID      int                `json:"pid"`
	Now      []snapshot.Section `json:"now"`
}

// A Struck tells of a fault.
type Struck struct {
	Step     string `json:"step"`
	Instance string `json:"instance,omitempty"`
	Call     string `json:"call,omitempty"`
	Fault    string `json:"fault"`
	Program  string `json:"program"`
	PID      int    `json:"pid"`
}

// Why a step is to fail; trace/span has the same numbers.
const (
	byFault = 1
	byEnd   = 2
)

// answer is the reply to a question: an errno, or 0, and why.
func answer(errno, why uint32) []byte {
	return binary.NativeEndian.AppendUint32(binary.NativeEndian.AppendUint32(nil, errno), why)
}

func encode(e Event) []byte {
	b, _ := json.Marshal(e) // strings and numbers always encode
	return b
}
