package daemon_test

import (
	"bufio"
	"context"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"hull/stages/instance"

	"github.com/moby/moby/api/types/events"
	"github.com/stretchr/testify/require"
)

func hexOf(b []byte) string { return hex.EncodeToString(b) }

func testRoutes(t *testing.T, r *rig) {
	for _, c := range []struct {
		method, path string
		status       int
		text         string
	}{
		{"GET", "/nope", 404, "page not found"},
		{"GET", "/v1.44/nope", 404, "page not found"},
		{"GET", "/vx/info", 404, "page not found"},
		{"PUT", "/containers/json", 404, "page not found"},
		{"GET", "/containers//json", 404, "page not found"},
		{"GET", "/v1.44/info", 200, ""},
		{"GET", "/v1.24/info", 200, ""},
		{"GET", "/v1.45/info", 400, "client version 1.45 is too new. Maximum supported API version is 1.44"},
		{"GET", "/v1.23/info", 400, "client version 1.23 is too old. Minimum supported API version is 1.24, please upgrade your client to a newer version"},
		{"GET", "/v99999999999999999999.1/info", 400, "is too new"},
		{"GET", "/networks", 501, "networks"},
		{"GET", "/volumes", 501, "volumes"},
		{"POST", "/build", 501, "image build"},
		{"GET", "/swarm", 501, "swarm"},
		{"POST", "/containers/x/exec", 501, "exec"},
		{"GET", "/containers/x/json", 404, "No such container: x"},
		{"GET", "/images/x/json", 404, "No such image: x:latest"},
		{"POST", "/containers/x/wait", 404, "No such container: x"},
		{"GET", "/containers/json?filters={\"nonsense\":[\"x\"]}", 400, "invalid filter"},
		{"GET", "/containers/json?filters={", 400, "invalid filters"},
		{"GET", "/containers/x/logs", 400, "choose at least one stream"},
	} {
		status, text := r.get(t, c.method, c.path, "")
		require.Equal(t, c.status, status, "%s %s: %s", c.method, c.path, text)
		require.Contains(t, text, c.text, "%s %s", c.method, c.path)
		if status >= 400 {
			var e struct{ Message string }
			require.NoError(t, json.Unmarshal([]byte(text), &e), "%s %s: %s", c.method, c.path, text)
			require.NotContains(t, e.Message, "\n")
		}
	}
}

func testBadJSON(t *testing.T, r *rig) {
	for body, status := range map[string]int{
		`{"Image":`:             400,
		`[]`:                    400,
		`{"Image":"busybox"} x`: 400,
		`{"Image": 5}`:          400,
		`{"Image":"UPPER CASE","HostConfig":{"NetworkMode":"none"}}`:                                                  400,
		`{"Image":"busybox","NoSuch":1,"HostConfig":{"NetworkMode":"none"}}`:                                          501,
		`{"Image":"busybox","HostConfig":{"NetworkMode":"none","VolumesFrom":["x"]}}`:                                 501,
		`{"Image":"busybox","HostConfig":{"NetworkMode":"none","KernelMemory":5}}`:                                    501,
		`{"Image":"busybox","HostConfig":{"NetworkMode":"none","PidsLimit":-2}}`:                                      400,
		`{"Image":"busybox","HostConfig":{"NetworkMode":"none","ShmSize":-1}}`:                                        400,
		`{"Image":"busybox","HostConfig":{"NetworkMode":"none","Memory":1000}}`:                                       400,
		`{"Image":"busybox","HostConfig":{"NetworkMode":"none","Binds":["/:/"]}}`:                                     400,
		`{"Image":"busybox","HostConfig":{"NetworkMode":"none","Binds":["vol:/x"]}}`:                                  501,
		`{"Image":"busybox","HostConfig":{"NetworkMode":"none","RestartPolicy":{"Name":"always"}}}`:                   501,
		`{"Image":"busybox","HostConfig":{"NetworkMode":"none"},"NetworkingConfig":{"EndpointsConfig":{"other":{}}}}`: 501,
		`{"Image":"busybox","WorkingDir":"relative","HostConfig":{"NetworkMode":"none"}}`:                             400,
		`{"Image":"busybox","Env":["=x"],"HostConfig":{"NetworkMode":"none"}}`:                                        400,
		`{"Image":"busybox","StopSignal":"NONE","HostConfig":{"NetworkMode":"none"}}`:                                 400,
		`{"Image":"` + strings.Repeat("x", 5<<20) + `"}`:                                                              400,
	} {
		got, text := r.get(t, "POST", "/containers/create", body)
		require.Equal(t, status, got, "%.120s: %s", body, text)
	}
}

// What docker's client can ask for and hull does not offer is refused by name, with exit code 125.
func testRefused(t *testing.T, r *rig) {
	for flag, name := range map[string]string{
		"--restart=always": "RestartPolicy", "--log-driver=syslog": "LogConfig.Type", "--health-cmd=x": "Healthcheck", "-v=named:/x": "named volume",
		"--gpus=all": "DeviceRequests", "--volumes-from=x": "VolumesFrom", "--security-opt=label=type:x": "SELinux", "--mount=dst=/x": "Mounts",
		"-v=/:/x:rshared": "rshared", "--storage-opt=size=1g": "StorageOpt",
	} {
		res := r.run(t, flag, "busybox", "true")
		require.Equal(t, 125, res.code, flag)
		require.Contains(t, strings.ToLower(res.stderr), strings.ToLower(name), flag)
		require.Contains(t, res.stderr, "not offered by hull yet", flag)
	}
}

func testEvents(t *testing.T, r *rig) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "docker", "-H", "unix://"+r.inst.APISocket(), "events", "--format", "{{json .}}", "--filter", "container=watched", "--since", time.Now().Format(time.RFC3339Nano))
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	require.Equal(t, 5, r.run(t, "--rm", "--name", "watched", "busybox", "sh", "-c", "exit 5").code)
	var seen []string
	for scan := bufio.NewScanner(out); len(seen) == 0 || seen[len(seen)-1] != "destroy"; {
		require.True(t, scan.Scan(), "events end with %v", seen)
		var m events.Message
		require.NoError(t, json.Unmarshal(scan.Bytes(), &m))
		seen = append(seen, string(m.Action))
		if m.Action == "die" {
			require.Equal(t, "5", m.Actor.Attributes["exitCode"])
		}
	}
	require.Equal(t, []string{"create", "attach", "start", "die", "destroy"}, seen)
	cmd.Process.Kill()
	cmd.Wait()
}

// Clients that vanish leave nothing behind in the daemon: no goroutine, no descriptor, no waiter.
func testClientsThatLeave(t *testing.T, r *rig) {
	r.run(t, "-d", "-i", "--name", "left", "busybox", "sleep", "1000")
	r.ok(t, "create", "-i", "--network", "none", "--name", "never", "busybox", "true")
	goroutines, files := r.weight(t)
	for _, name := range []string{"left", "never"} {
		for range 50 {
			for _, path := range []string{"/attach?stream=1&stdin=1&stdout=1&stderr=1", "/wait?condition=next-exit", "/wait?condition=removed"} {
				c, err := instance.Dial(context.Background(), "unix", r.inst.APISocket())
				require.NoError(t, err)
				req, err := http.NewRequest("POST", "http://hull/containers/"+name+path, nil)
				require.NoError(t, err)
				req.Header.Set("Connection", "Upgrade")
				req.Header.Set("Upgrade", "tcp")
				require.NoError(t, req.Write(c))
				resp, err := http.ReadResponse(bufio.NewReader(c), req)
				require.NoError(t, err)
				require.Less(t, resp.StatusCode, 300)
				c.Close()
			}
		}
	}
	require.Eventually(t, func() bool {
		g, f := r.weight(t)
		return g <= goroutines+5 && f <= files+5
	}, 20*time.Second, 100*time.Millisecond, "goroutines or files stay; before: %d, %d", goroutines, files)
	r.ok(t, "rm", "-f", "left", "never")
}

// weight is the daemon's goroutines and open files.
func (r *rig) weight(t *testing.T) (goroutines, files int) {
	_, text := r.get(t, "GET", "/info", "")
	var info struct{ NGoroutines, NFd int }
	require.NoError(t, json.Unmarshal([]byte(text), &info))
	return info.NGoroutines, info.NFd
}
