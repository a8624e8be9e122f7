package main_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"debug/elf"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hull/stages/instance"
	"hull/stages/probetest"

	"github.com/stretchr/testify/require"
)

// CVE-2026-55686: the working directory goes through a link. An engine that makes it makes it on the host.
func TestAttack05WorkDirThroughLink(t *testing.T) {
	e, c := up(t), newCanary(t)
	for to, want := range map[string]string{c.dir: "", "/srv": "/srv/x"} {
		e.hostile("evil:latest", map[string]any{"WorkingDir": "/w/x"}, map[string]string{"srv/": ""}, map[string]string{"w": to})
		out, text, code := e.once("evil", "pwd", "-P")
		require.Equal(t, want, strings.TrimSpace(out), "%s", text)
		require.Equal(t, want != "", code == 0, text)
		c.untouched("run, w -> " + to)
	}
	// The container itself makes the link, with as many .. as it likes, for its own next start, for an exec and for cp.
	up := strings.Repeat("../", 20) + c.dir[1:]
	e.ok("create", "--name", "box", "--network", "none", "-w", "/v/x", "busybox", "sh", "-c", "cd /; rm -r /v; ln -s "+up+" /v; sleep 100000")
	defer e.ok("rm", "-f", "box")
	for range 2 {
		e.run("start", "box") // the second time through the link: refused, or made inside
		c.untouched("start")
		e.until("the link is there or the start refused", func() bool {
			_, _, code := e.run("exec", "-w", "/", "box", "test", "-L", "/v")
			return code == 0 || e.inspect("box").State.Status != "running"
		})
		e.run("exec", "-w", "/v/y", "box", "true")
		e.run("cp", "/etc/hostname", "box:/v/z")
		c.untouched("exec, cp")
		e.run("kill", "box")
		e.ok("wait", "box")
	}
}

// tools are programs that engines have been made to run from a container's root.
var tools = strings.Fields("ps nsenter tar gzip gunzip xz unxz unpigz pigz igzip bzip2 zstd cat ls id stat du find mount umount ip iptables modprobe newuidmap newgidmap getent runc hull-runc hull-shim hulld")

// traps are such programs: each leaves a mark where it runs, on the host or in a container.
func traps(c *canary) map[string]string {
	files := map[string]string{}
	for _, name := range tools {
		for _, dir := range []string{"bin", "sbin", "usr/bin", "usr/sbin"} {
			files[dir+"/"+name] = "#!/bin/sh\necho " + name + " >>/ran\necho " + name + " >>" + c.dir + "/ran\n"
		}
	}
	return files
}

// CVE-2022-1227: a verb about a container runs a program of the container's.
func TestAttack06ToolsOfContainer(t *testing.T) {
	e, c := up(t), newCanary(t)
	e.hostile("evil:latest", nil, traps(c), nil)
	id := e.background("evil")
	host := t.TempDir()
	require.NoError(t, os.WriteFile(host+"/x", []byte("x"), 0o644))
	for _, args := range [][]string{
		{"top", id},
		{"top", id, "-eo", "pid,user,args"},
		{"cp", id + ":/etc", host + "/out"},
		{"cp", host + "/x", id + ":/tmp/x"},
		{"export", "-o", host + "/tar", id},
		{"diff", id},
		{"ps", "-as"},
		{"inspect", "-s", id},
		{"logs", id},
		{"pause", id},
		{"unpause", id},
		{"update", "--pids-limit", "50", id},
		{"restart", "-t", "0", id},
	} {
		e.ok(args...)
	}
	e.run("stats", "--no-stream", id)
	c.untouched("a program of the container's ran on the host")
	_, text, code := e.run("cp", id+":/ran", host)
	require.Equal(t, 1, code)
	require.Contains(t, text, "Could not find the file /ran", "a program of the container's ran that nobody asked for")
	e.run("exec", id, "/bin/ps")
	e.ok("cp", id+":/ran", host) // the trap does leave a mark
}

// CVE-2026-41567: what unpacks an archive is looked for in the container's root.
func TestAttack07Decompressor(t *testing.T) {
	e, c := up(t), newCanary(t)
	e.hostile("evil:latest", nil, traps(c), nil)
	id := e.background("evil")
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	z.Write(tarOf(t, map[string]string{"arrived": "arrived"}))
	require.NoError(t, z.Close())
	for name, body := range map[string]struct {
		text   []byte
		status int
	}{
		"gzip":  {packed.Bytes(), 200},
		"xz":    {append([]byte{0xfd, '7', 'z', 'X', 'Z', 0}, make([]byte, 600)...), 400},
		"bzip2": {append([]byte("BZh91AY&SY"), make([]byte, 600)...), 400},
		"zstd":  {append([]byte{0x28, 0xb5, 0x2f, 0xfd}, make([]byte, 600)...), 400},
	} {
		status, text := e.put("/v1.44/containers/"+id+"/archive?path=/tmp", body.text)
		require.Equal(t, body.status, status, "%s: %s", name, text)
	}
	got, _, code := e.run("exec", id, "busybox", "cat", "/tmp/arrived")
	require.Zero(t, code)
	require.Equal(t, "arrived", got)
	c.untouched("a program of the container's ran on the host")
	_, _, code = e.run("exec", id, "busybox", "test", "-e", "/ran")
	require.NotZero(t, code, "a program of the container's ran")
}

// put sends a body to the API.
func (e *engine) put(path string, body []byte) (status int, text string) {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return instance.Dial(ctx, "unix", e.inst.APISocket())
	}}}
	req, err := http.NewRequest(http.MethodPut, "http://hull"+path, bytes.NewReader(body))
	require.NoError(e.t, err)
	resp, err := client.Do(req)
	require.NoError(e.t, err)
	defer resp.Body.Close()
	said, err := io.ReadAll(resp.Body)
	require.NoError(e.t, err)
	return resp.StatusCode, string(said)
}

// CVE-2019-14271: a helper that had changed its root loaded libnss of the container. What is static loads nothing.
func TestAttack08Static(t *testing.T) {
	probetest.Need(t, "root", "peers")
	for _, name := range binaries {
		f, err := elf.Open(filepath.Join(bin, name))
		require.NoError(t, err)
		for _, p := range f.Progs {
			require.NotEqual(t, elf.PT_INTERP, p.Type, "%s has a loader", name)
			require.NotEqual(t, elf.PT_DYNAMIC, p.Type, "%s has libraries", name)
		}
		f.Close()
	}
}

// CVE-2024-5154 and others: the engine's own files are written through links of the image.
func TestAttack17EngineFiles(t *testing.T) {
	e, c := up(t), newCanary(t)
	others := strings.Fields("etc/mtab etc/passwd etc/group .dockerenv run/.containerenv")
	for _, names := range [][]string{{"etc/hosts"}, {"etc/hostname"}, {"etc/resolv.conf"}, others} {
		links := map[string]string{}
		for _, name := range names {
			links[name] = c.file()
		}
		e.hostile("evil:latest", nil, nil, links)
		for _, user := range []string{"root", "user", "0"} {
			out, text, _ := e.once("-u", user, "-h", "evil", "--add-host", "evil:10.0.0.1", "evil", "sh", "-c", "cat "+strings.Join(names, " "))
			require.NotContains(t, out+text, secret, names)
			c.untouched(fmt.Sprint(names))
		}
	}
	// The same by the container, for its next start, with links that an archive may not have.
	script := "cd /; mkdir -p run;"
	for _, name := range others {
		script += fmt.Sprintf("rm -f %s; ln -s %s %[1]s;", name, strings.Repeat("../", 20)+c.file()[1:])
	}
	e.ok("create", "--name", "box", "--network", "none", "busybox", "sh", "-c", script)
	for range 2 {
		e.ok("start", "-a", "box")
	}
	for _, name := range others {
		e.run("cp", "/etc/hostname", "box:/"+name)
	}
	e.ok("rm", "-f", "box")
	c.untouched("links of the container")
}

// CVE-2022-23648: a volume of the image is filled from a place that leads out of the image.
func TestAttack18CopyUp(t *testing.T) {
	e, c := up(t), newCanary(t)
	above := "/../../" + c.dir[1:]
	e.hostile("evil:latest", map[string]any{"Volumes": map[string]any{above: map[string]any{}, "/v": map[string]any{}, "/w/deep": map[string]any{}, "/good": map[string]any{}}},
		map[string]string{"good/inside": "of the image"}, map[string]string{"v": c.dir, "w": filepath.Dir(c.dir)})
	id := strings.TrimSpace(e.ok("create", "--network", "none", "evil", "busybox", "sh", "-c", "for d in /v /w/deep "+c.dir+" /good; do busybox find $d/ -type f -exec cat {} +; done"))
	volumes, err := filepath.Glob(e.inst.LibContainers() + "/" + id + "/volume*/*")
	require.NoError(t, err)
	held := ""
	require.NoError(t, filepath.WalkDir(filepath.Join(e.inst.LibContainers(), id), func(path string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			text, _ := os.ReadFile(path)
			held += path + ": " + string(text) + "\n"
		}
		return err
	}))
	require.Contains(t, held, "of the image", "the good volume was filled: %v", volumes)
	require.NotContains(t, held, secret)
	out, _, _ := e.run("start", "-a", id)
	require.NotContains(t, out, secret)
	e.ok("rm", id)
	c.untouched("copy-up")
}

// CVE-2023-0778: a directory of the container is exchanged for a link while export walks through it.
func TestAttack20Export(t *testing.T) {
	e, c := up(t), newCanary(t)
	e.hostile("evil:latest", nil, map[string]string{"vol/d/file": "inside", "vol/e": ""}, map[string]string{"vol/l": c.dir})
	id := e.background("evil")
	e.ok("exec", id, "sh", "-c", "cp -a /vol /mine && rm -r /vol")
	root := fmt.Sprintf("/proc/%d/root/mine/", e.inspect(id).State.Pid)
	stop := probetest.Exchange(root+"d", root+"l")
	rounds, seen := probetest.Rounds(t, 15), 0
	for range rounds {
		file := filepath.Join(t.TempDir(), "tar")
		e.run("export", "-o", file, id) // it may fail: an entry changed its kind
		text, _ := os.ReadFile(file)
		require.NotContains(t, string(text), secret)
		for _, body := range bodies(bytes.NewReader(text)) {
			if body == "inside" {
				seen++
			}
		}
		os.Remove(file)
	}
	swaps := stop()
	require.NotZero(t, seen, "export walked through the directory as well")
	require.Greater(t, swaps, int64(rounds), "the attacker hardly struck")
	t.Logf("%d exports, %d swaps, the directory was read %d times", rounds, swaps, seen)
	c.untouched("export")
}
