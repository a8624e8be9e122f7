package dockertest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"testing"
	"time"

	"hull/stages/probetest"
)

// A Network is where a foreign daemon listens: a namespace of the test's own.
type Network interface {
	Start(cmd *exec.Cmd) error
	Dial(network, address string) (net.Conn, error)
}

// StartRegistry starts Debian's docker-registry on loopback, without TLS, with its data in a directory of the test, and returns its
// address: 127.0.0.1:PORT.
func StartRegistry(t testing.TB, in Network) (address string) {
	t.Helper()
	probetest.Need(t, "registry")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address = l.Addr().String()
	l.Close() // the registry takes the port; nobody else looks for one in this moment
	dir := t.TempDir()
	config := fmt.Sprintf("version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: %q}}\nhttp: {addr: %q}\n", dir+"/data", address)
	if err := os.WriteFile(dir+"/config.yml", []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	program := probetest.Tools() + "/usr/bin/docker-registry"
	if _, err := os.Stat(program); err != nil {
		program = "docker-registry"
	}
	cmd := exec.Command(program, "serve", dir+"/config.yml")
	log, err := os.Create(dir + "/log")
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	if err := in.Start(cmd); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	for i := 0; ; i++ {
		conn, err := in.Dial("tcp", address)
		if err == nil {
			conn.Close()
			return address
		}
		if i == 200 {
			text, _ := os.ReadFile(dir + "/log")
			t.Fatalf("docker-registry does not answer: %v\n%s", err, text)
		}
		time.Sleep(50 * time.Millisecond) // polling for a foreign program's readiness
	}
}
