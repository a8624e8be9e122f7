// Package vmtest boots a small virtual machine for kernel tests that need what the test machine does not have: another kernel, or cgroup v2
// with all controllers. [Machine.Run] runs one script in it; [Machine.Test] runs the tests of whole packages in it, the same ones that run
// outside, and reports each as a subtest.
//
// The machine is Debian's cloud kernel and an initramfs made on the spot: busybox, kernel modules, the files a test names, and its script. It
// runs in qemu by interpretation (TCG), so it needs no /dev/kvm; a boot costs some 10 seconds of processor time. It has no disk and no network.
// The kernel writes to the first serial line and the script to the second, so that neither speaks into the other.
// .ci/vm-parts fetches its parts.
//
// Traps:
//   - there is no Go in the guest: probetest.Build hands out what HULL_BIN holds, and a package's own testdata is all that is there of its source;
//   - of the foreign parts only busybox is there: tests that need "peers" are skipped in the guest, by name.
package vmtest
