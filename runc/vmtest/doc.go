// Package vmtest boots a small virtual machine and runs one script in it: for kernel tests that need what the test machine does not have,
// another kernel, or cgroup v2 with all controllers.
//
// The machine is Debian's cloud kernel and an initramfs made on the spot: busybox, the files a test names, and its script. It runs in
// qemu by interpretation (TCG), so it needs no /dev/kvm; a boot costs some 10 seconds of processor time. It has no disk and no network.
// .ci/vm-parts fetches its parts.
package vmtest
