package process

import (
	"fmt"
	"strings"
	"syscall"

	"hull/runc/linux"
	"hull/stages"

	"golang.org/x/sys/unix"
)

// Candidates are the paths that the program's name may stand for: itself if it holds a slash, else one per directory of env's PATH.
func Candidates(name string, env []string) []string {
	if strings.Contains(name, "/") {
		return []string{name}
	}
	var path string
	for _, e := range env {
		if value, ok := strings.CutPrefix(e, "PATH="); ok {
			path = value // the last one counts, as it does for getenv in what is executed
		}
	}
	var list []string
	for _, dir := range strings.Split(path, ":") {
		if strings.HasPrefix(dir, "/") { // a relative directory would make the program depend on the working directory
			list = append(list, strings.TrimSuffix(dir, "/")+"/"+name)
		}
	}
	return list
}

// LookUp appends the rows that see whether one of the candidates can be executed, so that create, not start, says that it cannot. They
// run inside the new root as the new user. A directory may have the x bit too; it is no program.
func LookUp(p *linux.Program, name string, candidates []string) {
	p.At(stages.RuncInitProgram, name)
	dir := linux.Cell(-1)
	if strings.Contains(name, "/") {
		p.Do(
			linux.Openat(linux.Cwd(), name, unix.O_PATH|unix.O_DIRECTORY, dir).Or(unix.ENOTDIR).Skip(0, 1),
			linux.GiveUp(unix.EISDIR),
			linux.Faccessat2(name, 1), // X_OK
		)
		return
	}
	for i, c := range candidates {
		left := 3*(len(candidates)-1-i) + 1
		p.Do(
			linux.Openat(linux.Cwd(), c, unix.O_PATH|unix.O_DIRECTORY, dir).Or(linux.Any).Skip(0, 1),
			linux.Close(linux.FD(dir)).Skip(1, 0), // on to the next
			linux.Faccessat2(c, 1).Or(unix.ENOENT, unix.ENOTDIR, unix.EACCES, unix.ELOOP).Skip(left, 0),
		)
	}
	p.Do(linux.GiveUp(unix.ENOENT))
}

// NotFound says why a program cannot be executed, in the words that docker's client looks for to choose between the exit codes 126 and
// 127 (they are those of Go's os/exec, which runc uses).
func NotFound(step stages.ID, name string, errno syscall.Errno) error {
	e := &stages.Error{Step: step, Kind: stages.NotRunnable}
	switch {
	case errno == unix.ENOENT && strings.Contains(name, "/"):
		e.Kind, e.Err = stages.NoProgram, fmt.Errorf("exec: %q: stat %s: %w", name, name, errno)
	case errno == unix.ENOENT:
		e.Kind, e.Err = stages.NoProgram, fmt.Errorf("exec: %q: executable file not found in $PATH", name)
	case errno == unix.EISDIR:
		// execve(2) itself answers EACCES for a directory. Those words must be among ours: older engines (dockerd 20.10, podman 4.3) know
		// no others for 126.
		e.Err = fmt.Errorf("exec: %q: %w: %w", name, errno, unix.EACCES)
	default:
		e.Err = fmt.Errorf("exec: %q: %w", name, errno)
	}
	return e
}

// Exec appends the rows that become the program. Each is the last one if it succeeds.
func Exec(p *linux.Program, candidates, argv, env []string) {
	p.At(stages.RuncInitExec, argv[0])
	args, vars := linux.Strs(argv), linux.Strs(env)
	for i, c := range candidates {
		row := linux.Execve(c, args, vars)
		row.Exit = 126
		if i < len(candidates)-1 {
			row = row.Or(unix.ENOENT, unix.ENOTDIR, unix.EACCES)
		}
		p.Do(row)
	}
}
