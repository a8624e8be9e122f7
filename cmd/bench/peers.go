package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// startPeers starts containerd and dockerd with the flags that a machine without systemd needs, and writes podman's configuration.
func (b *bench) startPeers() error {
	if err := b.linkIptables(); err != nil {
		return err
	}
	config := fmt.Sprintf("version = 2\nroot = %q\nstate = %q\ndisabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n[grpc]\n  address = %q\n",
		b.root+"/containerd", b.root+"/containerd-run", b.root+"/containerd.sock")
	if err := os.WriteFile(b.root+"/containerd.toml", []byte(config), 0o600); err != nil {
		return err
	}
	if err := b.start("containerd", "-c", b.root+"/containerd.toml"); err != nil {
		return err
	}
	if err := b.until(b.ctr() + " version"); err != nil {
		return err
	}
	if err := b.start("dockerd", "-H", "unix://"+b.root+"/docker.sock", "--containerd", b.root+"/containerd.sock",
		"--data-root", b.root+"/docker", "--exec-root", b.root+"/docker-exec", "--pidfile", b.root+"/docker.pid",
		"--storage-driver", "overlay2", "--exec-opt", "native.cgroupdriver=cgroupfs", "--cgroup-parent", "/"+b.group); err != nil {
		return err
	}
	if err := b.until(docker + " version"); err != nil {
		return err
	}
	if err := b.writePodman(); err != nil {
		return err
	}
	for _, line := range []string{
		docker + " load -q -i " + b.archive(),
		b.ctr() + " image import --no-unpack=false " + b.archive(),
		b.podman() + " load -q -i " + b.archive(),
	} {
		if err := b.run(line); err != nil {
			return err
		}
	}
	return nil
}

// docker is Debian's own client; the machine may have another one before it on PATH.
const docker = "/usr/bin/docker"

func (b *bench) ctr() string { return "ctr --address " + b.root + "/containerd.sock --namespace bench" }

func (b *bench) podman() string {
	return "podman --root " + b.root + "/podman --runroot " + b.root + "/podman-run --cgroup-manager cgroupfs --events-backend file"
}

// linkIptables gives dockerd and podman the program that a package's installation would have linked.
func (b *bench) linkIptables() error {
	if err := os.MkdirAll(b.root+"/bin", 0o700); err != nil {
		return err
	}
	for _, name := range []string{"iptables", "iptables-save", "iptables-restore", "ip6tables", "ip6tables-save", "ip6tables-restore"} {
		if err := os.Symlink("/usr/sbin/xtables-nft-multi", b.root+"/bin/"+name); err != nil && !os.IsExist(err) {
			return err
		}
	}
	return nil
}

// writePodman: the hard limit of open files may be lower than podman's default, and CAP_SYS_RESOURCE may be missing.
func (b *bench) writePodman() error {
	text := fmt.Sprintf(`[containers]
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
[network]
network_backend = "cni"
cni_plugin_dirs = ["/usr/lib/cni"]
network_config_dir = %q
[engine]
runtime = "crun"
cgroup_manager = "cgroupfs"
`, b.root+"/cni")
	if err := os.MkdirAll(b.root+"/cni", 0o700); err != nil {
		return err
	}
	return os.WriteFile(b.root+"/containers.conf", []byte(text), 0o600)
}

// start starts one of the peers' daemons.
func (b *bench) start(name string, args ...string) error {
	log, err := os.Create(b.root + "/" + name + ".log")
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(name, args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = b.env, log, log
	if err := cmd.Start(); err != nil {
		return err
	}
	b.daemons = append(b.daemons, cmd)
	return nil
}

// versions says what the peers are.
func (b *bench) versions() (list []string) {
	for _, line := range []string{docker + " --version", "dockerd --version", "containerd --version", "podman --version", "runc --version", "crun --version"} {
		if out, err := b.output(line); err == nil {
			first, _, _ := strings.Cut(out, "\n")
			list = append(list, strings.TrimSpace(first))
		}
	}
	return list
}
