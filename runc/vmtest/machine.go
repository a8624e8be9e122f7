package vmtest

import (
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

// patience bounds one boot, unless the test binary's own limit comes before it. An idle machine needs a tenth of it.
const patience = 20 * time.Minute

// begin and end frame the script's output.
const (
	begin = "vmtest: begin"
	end   = "vmtest: exit "
)

// boot runs first, on the initial file system. pivot_root(2) cannot leave that one (it is nobody's mount), so everything moves to a tmpfs, file
// by file: the memory must not hold it twice.
const boot = `#!/bin/busybox sh
/bin/busybox mkdir -p /new/bin
/bin/busybox mount -t tmpfs -o mode=755,size=80% tmpfs /new
cd /
/bin/busybox cp -a bin /new/
/bin/busybox mv vm /new/
exec /new/bin/busybox switch_root /new /vm/start
`

// start mounts what a system has, cgroup v2 alone among it, and runs the script. /etc has what programs look names up in.
const start = `#!/bin/busybox sh
/bin/busybox --install -s /bin
mkdir -p /proc /sys /dev /tmp /run /etc /root /var /mnt /usr/sbin
ln -s ../bin /usr/bin
ln -s bin /sbin
export PATH=/usr/bin:/bin HOME=/root
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/shm /dev/pts
mount -t devpts devpts /dev/pts
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount --make-rprivate /
echo root:x:0:0:root:/root:/bin/sh >/etc/passwd
echo root:x:0: >/etc/group
ip link set lo up
for m in /vm/modules/*; do [ ! -e "$m" ] || insmod "$m"; done
stty -F /dev/ttyS1 raw
exec >/dev/ttyS1 2>&1 </dev/null
echo "vmtest: begin"
cd /tmp
sh /vm/script
echo "vmtest: exit $?"
poweroff -f
`

// A Machine is a guest before its boot.
type Machine struct {
	Memory  int               // in MiB; 0 is 1024
	Modules []string          // kernel modules to load, by name; what they need is loaded as well
	Files   map[string]string // path in the guest, below /vm → path here; all executable
	Script  string            // for sh; its output and exit code are the machine's
}

// Run boots the machine, runs its script, and returns the script's output and exit code. A machine that does not come up or does not end fails
// the test, with its console's output.
func (m Machine) Run(t *testing.T) (output string, code int) {
	t.Helper()
	probetest.Need(t, "qemu", "vm")
	content := map[string][]byte{"/init": []byte(boot), "/vm/start": []byte(start), "/vm/script": []byte(m.Script)}
	add := func(guest, host string) {
		text, err := os.ReadFile(host)
		if err != nil {
			t.Fatal(err)
		}
		content[guest] = text
	}
	add("/bin/busybox", probetest.VM()+"/busybox")
	files, err := modules(probetest.VM()+"/root/lib/modules", m.Modules)
	if err != nil {
		t.Fatal(err)
	}
	for i, file := range files {
		add(fmt.Sprintf("/vm/modules/%02d-%s", i, filepath.Base(file)), file)
	}
	for guest, host := range m.Files {
		if !strings.HasPrefix(guest, "/vm/") {
			t.Fatalf("vmtest: %s is not below /vm", guest)
		}
		add(guest, host)
	}
	image := filepath.Join(t.TempDir(), "initramfs")
	if err := initramfs(image, content); err != nil {
		t.Fatal(err)
	}
	return m.console(t, image)
}

// console boots the image and reads the second serial line until the machine is off.
func (m Machine) console(t *testing.T, image string) (string, int) {
	t.Helper()
	limit := time.Now().Add(patience)
	if last, ok := t.Deadline(); ok && last.Before(limit) {
		limit = last.Add(-10 * time.Second) // the machine's last words are worth more than the test binary's
	}
	ctx, cancel := context.WithDeadline(context.Background(), limit)
	defer cancel()
	memory := 1024
	if m.Memory != 0 {
		memory = m.Memory
	}
	kernel := filepath.Join(t.TempDir(), "console")
	cmd := exec.CommandContext(ctx, "qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", fmt.Sprint(memory),
		"-nodefaults", "-no-user-config", "-display", "none", "-serial", "file:"+kernel, "-serial", "stdio", "-monitor", "none", "-no-reboot",
		"-kernel", probetest.VM()+"/vmlinuz", "-initrd", image,
		// no_timer_check: interpreted, on a loaded machine, the timer's test at boot can fail, and the kernel panics.
		"-append", "console=ttyS0 quiet panic=-1 no_timer_check")
	out, err := os.Create(filepath.Join(t.TempDir(), "speech")) // a file: it can be read while the machine runs
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	err = cmd.Run()
	said, _ := os.ReadFile(out.Name())
	text := string(said)
	_, rest, began := strings.Cut(text, begin+"\n")
	at := strings.LastIndex(rest, end)
	if err != nil || !began || at < 0 {
		said, _ = os.ReadFile(kernel)
		t.Fatalf("vmtest: the machine did not come to its end: %v\n%s\n%s", err, text, said)
	}
	var code int
	if _, err := fmt.Sscanf(rest[at+len(end):], "%d", &code); err != nil {
		t.Fatalf("vmtest: %v\n%s", err, text)
	}
	return rest[:at], code
}
