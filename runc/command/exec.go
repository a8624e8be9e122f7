package command

import (
	"flag"
	"fmt"
	"strconv"
	"strings"

	"hull/runc/confine"
	"hull/runc/container"
	"hull/stages"
	"hull/trace/span"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// execFlags are exec's own flags; those that change the process do nothing beside --process.
type execFlags struct {
	o               container.ExecOptions
	detach          bool
	file            string
	tty             bool
	cwd, user       string
	apparmor, label string
	env, caps, gids list
	nnp             bool
	noSubreaper     bool
}

// execFailed is the exit code of an exec that did not come to run its program: any other is the program's. It is runc's.
const execFailed = 255

// exec adds a process to a container. With --detach it leaves the process behind, as create does; otherwise it is its parent, with its
// exit code.
func exec(g *global, fs *flag.FlagSet, args []string) (err error) {
	f := execFlags{o: container.ExecOptions{Root: g.root, NewKeyring: true, Warn: g.log.warn}}
	f.define(fs)
	rest, err := positional(fs, args, 1, -1)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil && g.code == 0 {
			g.code = execFailed
		}
	}()
	f.o.ID = rest[0]
	if f.o.PreserveFDs < 0 || f.o.PreserveFDs > 1000 {
		return invalid("--preserve-fds", "not between 0 and 1000")
	}
	if f.o.ConsoleSocket != "" && !f.detach {
		return invalid("--console-socket", "the terminal is ours without --detach")
	}
	if f.o.Process, err = f.process(g.root, rest[1:]); err != nil {
		return err
	}
	if err := confine.SealExe(); err != nil {
		return err
	}
	ctx, sp := span.Start(g.ctx, stages.RuncExec)
	defer sp.End(&err)
	sp.Set(stages.AttrContainer, f.o.ID)
	if f.detach {
		_, pidfd, err := container.Exec(ctx, f.o)
		unix.Close(pidfd)
		return err
	}
	if !f.noSubreaper {
		if err := subreaper(); err != nil {
			return err
		}
	}
	g.code, err = foreground(func(console func() (int, error)) (pid, pidfd int, err error) {
		if f.o.Process.Terminal {
			if f.o.Console, err = console(); err != nil {
				return 0, -1, err
			}
		}
		return container.Exec(ctx, f.o)
	})
	return err
}

func (f *execFlags) define(fs *flag.FlagSet) {
	for _, name := range []string{"process", "p"} {
		fs.StringVar(&f.file, name, "", "file with the process, as config.json has it")
	}
	for _, name := range []string{"detach", "d"} {
		fs.BoolVar(&f.detach, name, false, "leave the process behind")
	}
	for _, name := range []string{"tty", "t"} {
		fs.BoolVar(&f.tty, name, false, "with a terminal")
	}
	for _, name := range []string{"user", "u"} {
		fs.StringVar(&f.user, name, "", "UID[:GID]")
	}
	for _, name := range []string{"env", "e"} {
		fs.Var(&f.env, name, "NAME=VALUE, several times")
	}
	for _, name := range []string{"cap", "c"} {
		fs.Var(&f.caps, name, "a capability more, several times")
	}
	for _, name := range []string{"additional-gids", "g"} {
		fs.Var(&f.gids, name, "a group more, several times")
	}
	fs.StringVar(&f.cwd, "cwd", "", "working directory")
	fs.BoolVar(&f.nnp, "no-new-privs", false, "no execve may gain privileges")
	fs.StringVar(&f.o.PIDFile, "pid-file", "", "file to write the process's pid to")
	fs.StringVar(&f.o.PIDFDSocket, "pidfd-socket", "", "UNIX socket that receives a pidfd of the process")
	fs.StringVar(&f.o.ConsoleSocket, "console-socket", "", "UNIX socket that receives the terminal's master")
	fs.IntVar(&f.o.PreserveFDs, "preserve-fds", 0, "descriptors after 2 that the program keeps")
	fs.BoolVar(&f.noSubreaper, "no-subreaper", false, "do not become the parent of the process's orphans")
	fs.BoolVar(&f.o.IgnorePaused, "ignore-paused", false, "do not refuse a paused container: the process starts when it is resumed")
	fs.StringVar(&f.apparmor, "apparmor", "", "AppArmor profile of the process")
	fs.StringVar(&f.label, "process-label", "", "SELinux label of the process")
	fs.Var((*list)(&f.o.Cgroups), "cgroup", "[CONTROLLER:]PATH of a group below the container's, several times")
}

// process is the document of --process; or the container's own first process with other words, and with what the flags change.
func (f *execFlags) process(root string, words []string) (*specs.Process, error) {
	if f.file != "" {
		if len(words) > 0 {
			return nil, invalid("exec", "a program beside --process")
		}
		p, err := container.LoadProcess(f.file)
		if err == nil && f.tty {
			p.Terminal = true
		}
		return p, err
	}
	if len(words) == 0 {
		return nil, invalid("exec", "process args cannot be empty")
	}
	p, err := container.FirstProcess(root, f.o.ID)
	if err != nil {
		return nil, err
	}
	p.Args, p.Terminal, p.ConsoleSize = words, f.tty, nil
	p.Env = append(p.Env, f.env...)
	p.NoNewPrivileges = p.NoNewPrivileges || f.nnp
	if f.cwd != "" {
		p.Cwd = f.cwd
	}
	if f.apparmor != "" {
		p.ApparmorProfile = f.apparmor
	}
	if f.label != "" {
		p.SelinuxLabel = f.label
	}
	if f.user != "" {
		if p.User, err = parseUser(f.user); err != nil {
			return nil, err
		}
	}
	for _, g := range f.gids {
		gid, err := strconv.ParseUint(g, 10, 31)
		if err != nil {
			return nil, invalid("--additional-gids", strconv.Quote(g)+" is no group id")
		}
		p.User.AdditionalGids = append(p.User.AdditionalGids, uint32(gid))
	}
	if len(f.caps) > 0 {
		p.Capabilities = withCapabilities(p.Capabilities, f.caps)
	}
	return p, nil
}

// withCapabilities adds to the bounding, permitted and effective sets; the ambient one can grow only where the inheritable one is in use.
func withCapabilities(c *specs.LinuxCapabilities, names []string) *specs.LinuxCapabilities {
	out := &specs.LinuxCapabilities{}
	if c != nil {
		*out = *c
	}
	out.Bounding = append(out.Bounding, names...)
	out.Permitted = append(out.Permitted, names...)
	out.Effective = append(out.Effective, names...)
	if len(out.Inheritable) > 0 {
		out.Ambient = append(out.Ambient, names...)
	}
	return out
}

// parseUser reads numbers only: names are looked up by whoever knows the image.
func parseUser(s string) (u specs.User, err error) {
	uid, gid, both := strings.Cut(s, ":")
	n, err := strconv.ParseUint(uid, 10, 31)
	if err != nil {
		return u, invalid("--user", strconv.Quote(uid)+" is no user id")
	}
	u.UID = uint32(n)
	if both {
		if n, err = strconv.ParseUint(gid, 10, 31); err != nil {
			return u, invalid("--user", strconv.Quote(gid)+" is no group id")
		}
		u.GID = uint32(n)
	}
	return u, nil
}

// A list is a flag that may be given several times.
type list []string

func (l *list) String() string { return fmt.Sprint([]string(*l)) }
func (l *list) Set(s string) error {
	*l = append(*l, s)
	return nil
}
