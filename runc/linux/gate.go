package linux

import (
	"hull/stages"

	"golang.org/x/sys/unix"
)

// Gates puts two rows in front of each row of a step: one that asks whether the row may run, and one that reads the answer. Until it comes, the
// child waits there; an errno in it becomes the row's own failure (the answer: errno, why). This is what a breakpoint at a single system call is made of (trace/span,
// gate.go). gate is the cell of the connection, question makes the packet; inner says that the row is not the first of its step. It comes
// before [Program.Clock].
//
// Nobody at the other end is no failure: the row then runs. sendto(2) and not write(2), because that could raise SIGPIPE.
func (p *Program) Gates(gate *int32, question func(step stages.ID, instance, call string, inner bool) []byte) {
	// place[i] is where row i's own rows begin now; a jump leads there, so that what is jumped to asks as well.
	place := make([]int, len(p.Rows)+1)
	n := 0
	for i, r := range p.Rows {
		place[i] = n
		if n++; r.gated() {
			n += 2
		}
	}
	place[len(p.Rows)] = n
	rows := make([]Row, 0, n)
	start := 0
	for g := range p.groups {
		for i := start; i < p.groups[g].end; i++ {
			r := p.Rows[i]
			if r.gated() {
				packet, answer := question(r.Step, r.Instance, r.String(), i > start), new([2]int32)
				ask := call("sendto", unix.SYS_SENDTO, FD(gate), Mem(&packet[0]), Num(len(packet)), Num(unix.MSG_NOSIGNAL), Num(0), Num(0)).Or(Any).Skip(0, 1)
				wait := call("read", unix.SYS_READ, FD(gate), Mem(answer), Num(8)).Or(Any)
				ask.Step, ask.Instance, wait.Step, wait.Instance = r.Step, r.Instance, r.Step, r.Instance
				r.gate = answer
				rows = append(rows, ask, wait)
			}
			own := len(rows) // where r itself will stand
			r.Then, r.Else = place[i+1+r.Then]-own-1, place[i+1+r.Else]-own-1
			rows = append(rows, r)
		}
		start = p.groups[g].end
		p.groups[g].end = len(rows)
	}
	p.Rows = rows
}

// gated reports whether a row has a gate: those of steps have.
func (r *Row) gated() bool { return r.Step != stages.None && !r.direct }
