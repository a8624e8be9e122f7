// Package command is hull-runc's command line, the one that OCI runtimes share: global flags, a verb, its flags, a container's id. One
// verb per file. containerd's shims and podman's conmon call it; runc and crun answer to the same.
//
// Each verb only reads its arguments and calls runc/container. The last error is one line on standard error and, with --log, one JSON line
// with level "error" at the end of that file, which is what callers show to their users. The exit code is 0 or 1.
package command
