package hook

import (
	"hull/runc/linux"
	"hull/runc/process"
	"hull/stages"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// Here is the place of hooks that run in the runtime's namespaces: a child of ours that executes the hook and has nothing of ours.
func Here(h specs.Hook, s Streams) (Process, error) {
	p := linux.New(s.Report)
	p.At(stages.None, "hook")
	p.Do(linux.Setsid()) // a process group of its own: a hook that hangs is killed with all that it started
	Attach(p, s)
	p.Do(linux.CloexecRange(3, -1)) // also what our caller leaked
	process.Signals(p)
	Become(p, h)
	pid, pidfd, err := p.Spawn(0, -1)
	return Process{p, pid, pidfd}, err
}

// Attach appends the rows that give the process its standard streams.
func Attach(p *linux.Program, s Streams) {
	p.At(stages.None, "streams")
	p.Do(
		linux.Dup3(linux.Num(s.In), 0, 0),
		linux.Dup3(linux.Num(s.Out), 1, 0),
		linux.Dup3(linux.Num(s.Out), 2, 0),
	)
}

// Become appends the row that executes the hook. Its environment is what config.json says and nothing else.
func Become(p *linux.Program, h specs.Hook) {
	args := h.Args
	if len(args) == 0 {
		args = []string{h.Path}
	}
	p.At(stages.None, "hook")
	p.Do(linux.Execve(h.Path, linux.Strs(args), linux.Strs(h.Env)))
}

// Born makes the process known that a program with [linux.Program.Born] has left: the first process, which joined, is reaped.
func Born(p *linux.Program, joiner, joinerFD int) (Process, error) {
	defer unix.Close(joinerFD)
	if _, err := linux.Retry(func() (int, error) { return unix.Wait4(joiner, nil, 0, nil) }); err != nil {
		return Process{}, err
	}
	pid := p.Newborn()
	if pid == 0 {
		return Process{Program: p}, nil
	}
	pidfd, err := unix.PidfdOpen(pid, 0) // our child, which nobody has reaped (pidfd_open(2), Linux 5.3)
	return Process{p, pid, pidfd}, err
}
