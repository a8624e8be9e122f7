package cli_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"hull/stages/probetest"
)

// wrongFlags are command lines of run that are wrong, or only unusual: whatever docker's client says of them, ours says it too.
var wrongFlags = []string{
	// Values that a flag cannot read.
	"-m x", "-m -1", "-m 1z", "--memory-swap x", "--memory-reservation x", "--memory-swappiness x", "--memory-swappiness 101",
	"--memory-swappiness -2", "--cpus x", "--cpus 0.0000000001", "--cpu-shares x", "-c 1.5", "--cpu-period x", "--cpu-quota 1s", "--pids-limit many",
	"--blkio-weight 70000", "--blkio-weight -1", "--oom-score-adj x", "--shm-size x", "--stop-timeout x", "--stop-timeout 1s",
	"--blkio-weight-device x", "--blkio-weight-device /etc:10", "--blkio-weight-device /dev/sda:5", "--blkio-weight-device /dev/sda:x",
	"--device-read-bps x", "--device-read-bps /x:1", "--device-read-bps /dev/sda:x", "--device-write-iops /dev/sda:1kb", "--device-read-iops :5",
	"--init=x", "--read-only=x", "--privileged=x", "--oom-kill-disable=x", "--no-healthcheck=x", "-q=x",

	// Lists.
	"-e =x", "-e A", "-e A=", "--label =x", "-l a\tb=c", "--label a", "--ulimit x", "--ulimit nofile", "--ulimit nosuch=1", "--ulimit nofile=1:x", "--ulimit nofile=2:1",
	"--ulimit nofile=1:2:3", "--ulimit nofile=-1:5", "--ulimit core=-1", "--sysctl x", "--sysctl kernel.panic=1", "--sysctl vm.swappiness=1",
	"--sysctl =1", "--sysctl net.ipv4.ip_forward=1", "--annotation a", "--annotation a=b", "--group-add x",
	"--tmpfs relative", "--tmpfs /x:size=1m", "--tmpfs /x:bad", "--dns x", "--dns 8.8.8.8.8", "--dns ::1", "--dns-search a_b", "--dns-search -x", "--dns-search .",
	"--dns-search 1.1", "--dns-search a..b", "--dns-option anything", "--add-host x", "--add-host x:y", "--add-host :1.2.3.4", "--add-host x:1.2.3.4",
	"--add-host x=::1", "--add-host x:[::1]", "--add-host x:[zz]", "--cap-add nosuch", "--cap-drop ALL",

	// Devices.
	"--device /dev/null", "--device relative", "--device :", "--device /dev/null:relative", "--device /dev/null:/dev/x:q", "--device /dev/null:/dev/x:rr",
	"--device a:b:c:d", "--device /dev/null:rw", "--device-cgroup-rule x", "--device-cgroup-rule a~*:*~rwm", "--device-cgroup-rule c~1:3~rwmx",
	"--device-cgroup-rule d~1:3~r", "--device-cgroup-rule c~1~r", "--device-cgroup-rule c~*:5~m",

	// Modes.
	"--pid x", "--pid container:", "--pid host", "--pid container:x", "--uts x", "--uts host", "--userns x", "--userns host", "--cgroupns x", "--cgroupns private",
	"--ipc nosuch", "--security-opt x", "--security-opt seccomp=", "--security-opt seccomp=/nosuch", "--security-opt seccomp=not-json",
	"--security-opt seccomp=unconfined", "--security-opt seccomp=profile", "--security-opt no-new-privileges", "--security-opt no-new-privileges:true", "--security-opt apparmor=unconfined",
	"--security-opt label:disable", "--security-opt systempaths=unconfined", "--security-opt nosuch=1",

	// Files.
	"--env-file nosuch", "--env-file bad-name", "--env-file bad-space", "--env-file bad-utf8", "--env-file good", "--label-file nosuch", "--label-file good", "--label-file bad-name",
	"--cidfile good", "--cidfile new",

	// Images.
	"--pull x", "--pull never", "--platform x/y/z/w", "--platform nosuch", "--platform linux/amd64", "--platform x86_64",

	// Mounts.
	"--mount x", "--mount type=bind", "--mount type=bind,src=/a", "--mount type=bind,source=/a,target=/b", "--mount type=bind,source=/a,target=/b,nosuch",
	"--mount type=bind,source=/a,target=/b,nosuch=1", "--mount type=bind,source=/a,target=/b,ro=x", "--mount type=bind,source=/a,target=/b,readonly",
	"--mount type=bind,source=/a,target=/b,tmpfs-size=1m", "--mount type=tmpfs,target=/b,bind-propagation=rprivate", "--mount type=tmpfs,target=/b,tmpfs-size=x",
	"--mount type=tmpfs,target=/b,tmpfs-mode=9", "--mount type=tmpfs,target=/b,tmpfs-mode=1777", "--mount type=bind,source=/a,target=/b,bind-recursive=x",
	"--mount type=bind,source=/a,target=/b,bind-recursive=readonly", "--mount type=bind,source=/a,target=/b,ro,bind-recursive=readonly",
	"--mount type=tmpfs,volume-nocopy,target=/b",
	"-v :/x", "-v /x", "-v /a:/b", "-v /a:/b:ro", "-v ./a:/b",
}

var update = flag.Bool("update", false, "record docker's answers anew")

// A wrongFlag is a command line, and what a client made of it: what it said and with which code it ended, or what it asked the daemon for.
type wrongFlag struct {
	Line string
	Code int
	Said string         // the first line, without the program's name
	Sent map[string]any `json:",omitempty"` // without what is empty
}

const recorded = "testdata/flags.json"

// TestWrongFlags holds our client to what docker's makes of each of them: the exit code and the first line of what it says are the same, or
// else the request is. docker's answers are recorded (-update), and every 25th is asked for anew: docker takes a long time to start.
func TestWrongFlags(t *testing.T) {
	probetest.Need(t, "docker")
	dir := t.TempDir()
	for name, text := range map[string]string{
		"bad-name": "=x\n", "bad-space": "A B=c\n", "bad-utf8": "A=\xff\n", "good": "\ufeff# comment\n  A=b c \nHULL_SET\nHULL_NOT_SET\n", "not-json": "{",
		"profile": `{ "defaultAction": "SCMP_ACT_ALLOW" }`,
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	d := refusing(t, dir)
	var want []wrongFlag
	if *update {
		for _, line := range wrongFlags {
			want = append(want, d.ask(t, "docker", line))
		}
		text, err := json.MarshalIndent(want, "", " ")
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(recorded, append(text, '\n'), 0o644))
	}
	text, err := os.ReadFile(recorded)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &want))
	require.Len(t, want, len(wrongFlags), "record them anew: go test ./client/cli -run WrongFlags -update")
	hull := probetest.Build(t, "hull")
	for i, w := range want {
		require.Equal(t, wrongFlags[i], w.Line)
		if i%25 == 0 && !*update {
			require.Equal(t, w, d.ask(t, "docker", w.Line), "docker says something else than it did")
		}
		assert.Equal(t, w, d.ask(t, hull, w.Line))
	}
}

// A refusal is a daemon that makes no container, and keeps what it was asked for.
type refusal struct {
	dir  string
	sent chan []byte
}

func refusing(t *testing.T, dir string) refusal {
	d := refusal{dir, make(chan []byte, 1)}
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Api-Version", "1.44")
		w.Header().Set("Ostype", "linux")
		w.Header().Set("Content-Type", "application/json")
		if !strings.HasSuffix(r.URL.Path, "/containers/create") {
			return
		}
		body, _ := io.ReadAll(r.Body)
		d.sent <- body
		w.WriteHeader(http.StatusConflict)
		w.Write([]byte(`{"message":"asked"}`))
	})
	l, err := net.Listen("unix", dir+"/api")
	require.NoError(t, err)
	s := &http.Server{Handler: mux}
	go s.Serve(l)
	t.Cleanup(func() { s.Close() })
	return d
}

// ask gives the line to a client in front of that daemon.
func (d refusal) ask(t *testing.T, client, line string) wrongFlag {
	args := strings.Split("-H unix://"+d.dir+"/api run --network none "+line+" image", " ")
	for i := range args {
		args[i] = strings.ReplaceAll(args[i], "~", " ") // a blank inside an argument
	}
	c := exec.Command(client, args...)
	c.Dir = d.dir
	c.Env = append(os.Environ(), "DOCKER_CONFIG="+d.dir, "HULL_SET=here")
	var text bytes.Buffer
	c.Stderr = &text
	var ended *exec.ExitError
	require.True(t, errors.As(c.Run(), &ended), "%s %s succeeds", client, line)
	w := wrongFlag{Line: line, Code: ended.ExitCode()}
	select {
	case body := <-d.sent:
		require.NoError(t, json.Unmarshal(bytes.ReplaceAll(body, []byte(d.dir), []byte("DIR")), &w.Sent))
		delete(w.Sent, "NetworkingConfig") // an entry for the network without anything in it
		full(w.Sent)
	default:
		w.Said, _, _ = strings.Cut(text.String(), "\n")
		w.Said = strings.ReplaceAll(strings.TrimPrefix(strings.TrimPrefix(w.Said, "docker: "), "hull: "), d.dir, "DIR")
		w.Said = strings.Replace(w.Said, "Invalid --security-opt", "invalid --security-opt", 1) // as docker 29 says it
	}
	return w
}

// full takes what is empty or a client's own default out of a document, and reports whether anything is left.
func full(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		if v["MemorySwappiness"] == -1.0 {
			delete(v, "MemorySwappiness")
		}
		if p, ok := v["RestartPolicy"].(map[string]any); ok && p["Name"] == "no" {
			delete(v, "RestartPolicy")
		}
		for name, field := range v {
			if list, ok := field.([]any); ok && (name == "MaskedPaths" || name == "ReadonlyPaths") && list != nil {
				continue // empty is another thing than none
			}
			if !full(field) && name != "/x" { // the name of an anonymous volume is all there is to it
				delete(v, name)
			}
		}
		return len(v) > 0
	case []any:
		some := false
		for _, e := range v {
			some = full(e) || some
		}
		return some
	case string:
		return v != ""
	case float64:
		return v != 0
	case bool:
		return v
	}
	return v != nil
}
