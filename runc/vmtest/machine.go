package vmtest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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
stty -F /dev/SPEECH raw
exec >/dev/SPEECH 2>&1 </dev/null
echo "vmtest: begin"
cd /tmp
sh /vm/script
echo "vmtest: exit $?"
poweroff -f
`

// A board is what one architecture's guest is made of. It has two serial lines: the kernel's console, and the one the script speaks on.
type board struct {
	emulator        []string
	console, speech string
	speechLine      []string // qemu's flags that connect it to standard output
}

// boards by GOARCH. arm64's "virt" has one serial line of its own; the second is a PCI card, the first one that the driver of PCs' lines finds.
// no_timer_check: interpreted, on a loaded machine, a PC's test of its timer at boot can fail, and the kernel panics.
var boards = map[string]board{
	"amd64": {[]string{"qemu-system-x86_64", "-cpu", "max"}, "ttyS0 no_timer_check", "ttyS1", []string{"-serial", "stdio"}},
	"arm64": {
		[]string{"qemu-system-aarch64", "-M", "virt", "-cpu", "cortex-a72"},
		"ttyAMA0", "ttyS0",
		[]string{"-chardev", "stdio,id=speech", "-device", "pci-serial,chardev=speech"},
	},
}

// A Machine is a guest before its boot.
type Machine struct {
	Arch    string            // GOARCH; "" is amd64
	Memory  int               // in MiB; 0 is 1024
	Modules []string          // kernel modules to load, by name; what they need is loaded as well
	Files   map[string]string // path in the guest, below /vm → path here; all executable
	Script  string            // for sh; its output and exit code are the machine's
}

func (m Machine) arch() string {
	if m.Arch == "" {
		return "amd64"
	}
	return m.Arch
}

// parts is where .ci/vm-parts unpacks what the machine is made of.
func (m Machine) parts() string {
	if m.arch() == "amd64" {
		return probetest.VM()
	}
	return filepath.Join(probetest.VM(), m.arch())
}

// need skips the test where the machine cannot be had.
func (m Machine) need(t *testing.T) {
	t.Helper()
	if m.arch() == "arm64" {
		probetest.Need(t, "qemu-arm64", "vm-arm64")
	} else {
		probetest.Need(t, "qemu", "vm")
	}
}

// Run boots the machine, runs its script, and returns the script's output and exit code. A machine that does not come up or does not end fails
// the test, with its console's output.
func (m Machine) Run(t *testing.T) (output string, code int) {
	t.Helper()
	m.need(t)
	speak := strings.ReplaceAll(start, "SPEECH", boards[m.arch()].speech)
	content := map[string][]byte{"/init": []byte(boot), "/vm/start": []byte(speak), "/vm/script": []byte(m.Script)}
	add := func(guest, host string) {
		text, err := os.ReadFile(host)
		if err != nil {
			t.Fatal(err)
		}
		content[guest] = text
	}
	add("/bin/busybox", m.parts()+"/busybox")
	files, err := modules(m.parts()+"/root/lib/modules", m.Modules)
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
	kernel, b := filepath.Join(t.TempDir(), "console"), boards[m.arch()]
	args := slices.Concat(b.emulator[1:], []string{
		"-accel", "tcg,thread=multi", "-smp", "2", "-m", fmt.Sprint(memory), "-nodefaults", "-no-user-config", "-display", "none",
		"-monitor", "none", "-no-reboot", "-kernel", m.parts() + "/vmlinuz", "-initrd", image,
		"-append", "quiet panic=-1 console=" + b.console, "-serial", "file:" + kernel,
	}, b.speechLine)
	cmd := exec.CommandContext(ctx, b.emulator[0], args...)
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
