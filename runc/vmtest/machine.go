package vmtest

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hull/stages/probetest"
)

// patience bounds one boot. An idle machine needs a tenth of it.
const patience = 5 * time.Minute

// begin and end frame the script's output on the console; what the kernel prints before is none of it.
const (
	begin = "vmtest: begin"
	end   = "vmtest: exit "
)

// boot runs first, on the initial file system. pivot_root(2) cannot leave that one (it is nobody's mount), so everything moves to a tmpfs.
const boot = `#!/bin/busybox sh
/bin/busybox mkdir -p /new
/bin/busybox mount -t tmpfs -o mode=755 tmpfs /new
cd /
for f in bin vm; do /bin/busybox cp -a "$f" /new/; done
exec /bin/busybox switch_root /new /vm/start
`

// start mounts what a system has, cgroup v2 alone among it, and runs the script.
const start = `#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mkdir -p /proc /sys /dev /tmp /run /etc
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/shm /dev/pts
mount -t devpts devpts /dev/pts
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount --make-rprivate /
for m in /vm/modules/*; do [ ! -e "$m" ] || insmod "$m"; done
echo "vmtest: begin"
cd /tmp
sh /vm/script </dev/null 2>&1
echo "vmtest: exit $?"
poweroff -f
`

// Dir is where .ci/vm-parts unpacks the machine's parts. HULL_VM overrides it.
func Dir() string {
	if dir := os.Getenv("HULL_VM"); dir != "" {
		return dir
	}
	return filepath.Join(probetest.Root(), ".hull/vm")
}

// Run boots a machine with the files (path in the guest, below /vm, → path here; all executable), runs the shell script in it, and
// returns the script's output and exit code. A machine that does not come up or does not end fails the test, with its console's output.
func Run(t *testing.T, files map[string]string, script string) (output string, code int) {
	t.Helper()
	probetest.Need(t, "qemu", "vm")
	content := map[string][]byte{"/init": []byte(boot), "/vm/start": []byte(start), "/vm/script": []byte(script)}
	add := func(guest, host string) {
		text, err := os.ReadFile(host)
		if err != nil {
			t.Fatal(err)
		}
		content[guest] = text
	}
	add("/bin/busybox", Dir()+"/busybox")
	list, err := os.ReadFile(Dir() + "/modules")
	if err != nil {
		t.Fatal(err)
	}
	for i, module := range strings.Fields(string(list)) {
		add(fmt.Sprintf("/vm/modules/%02d-%s", i, filepath.Base(module)), module)
	}
	for guest, host := range files {
		if !strings.HasPrefix(guest, "/vm/") {
			t.Fatalf("vmtest: %s is not below /vm", guest)
		}
		add(guest, host)
	}
	image := filepath.Join(t.TempDir(), "initramfs")
	if err := initramfs(image, content); err != nil {
		t.Fatal(err)
	}
	return console(t, image)
}

// console boots the image and reads the first serial line until the machine is off.
func console(t *testing.T, image string) (string, int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", "1024",
		"-nodefaults", "-no-user-config", "-display", "none", "-serial", "stdio", "-monitor", "none", "-no-reboot",
		"-kernel", Dir()+"/vmlinuz", "-initrd", image,
		// no_timer_check: interpreted, on a loaded machine, the timer's test at boot can fail, and the kernel panics.
		"-append", "console=ttyS0 quiet panic=-1 no_timer_check")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	text := strings.ReplaceAll(out.String(), "\r", "")
	_, rest, began := strings.Cut(text, begin+"\n")
	at := strings.LastIndex(rest, end)
	if err != nil || !began || at < 0 {
		t.Fatalf("vmtest: the machine did not come to its end: %v\n%s", err, text)
	}
	var code int
	if _, err := fmt.Sscanf(rest[at+len(end):], "%d", &code); err != nil {
		t.Fatalf("vmtest: %v\n%s", err, text)
	}
	return rest[:at], code
}

// TestBinary compiles a package's tests, statically, into a file of the test's.
func TestBinary(t *testing.T, pkg string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), filepath.Base(pkg)+".test")
	cmd := exec.Command("go", "test", "-c", "-trimpath", "-o", out, "./"+pkg)
	cmd.Dir = probetest.Root()
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOARCH=amd64")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go test -c ./%s: %v\n%s", pkg, err, text)
	}
	return out
}
