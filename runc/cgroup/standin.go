// Package cgroup: stand-in until the branch confine brings the real one.
package cgroup

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

type Member struct {
	Controller string
	Version    int
	Dir        string
}
type Group struct{ Paths []Member }

func Create(ctx context.Context, path string, r *specs.LinuxResources) (*Group, []string, error) {
	g := &Group{}
	for _, c := range []string{"memory", "pids", "cpuacct", "devices", "freezer", "blkio", "systemd"} {
		dir := filepath.Join("/sys/fs/cgroup", c, path)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			g.Delete()
			return nil, nil, err
		}
		g.Paths = append(g.Paths, Member{c, 1, dir})
	}
	return g, nil, nil
}

func (g *Group) Procs() (fs []*os.File, err error) {
	for _, m := range g.Paths {
		f, err := os.OpenFile(m.Dir+"/cgroup.procs", os.O_WRONLY, 0)
		if err != nil {
			return nil, err
		}
		fs = append(fs, f)
	}
	return fs, nil
}

func (g *Group) Into() *os.File { return nil }

func (g *Group) PIDs() (pids []int, err error) {
	for _, m := range g.Paths {
		text, _ := os.ReadFile(m.Dir + "/cgroup.procs")
		for _, f := range strings.Fields(string(text)) {
			n, _ := strconv.Atoi(f)
			pids = append(pids, n)
		}
		break
	}
	return pids, nil
}

func (g *Group) Kill() error {
	pids, _ := g.PIDs()
	for _, p := range pids {
		unix.Kill(p, unix.SIGKILL)
	}
	return nil
}

func (g *Group) Delete() (err error) {
	for _, m := range g.Paths {
		for i := 0; i < 100; i++ {
			if err = unix.Rmdir(m.Dir); err == nil || err == unix.ENOENT {
				err = nil
				break
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
	return err
}
