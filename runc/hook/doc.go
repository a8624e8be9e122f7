// Package hook runs the hooks of the OCI runtime-spec (config.md, "POSIX-platform Hooks"): programs of whoever made the bundle, started at
// six points of a container's life, with the container's state as JSON on standard input. runc/container calls it at these points, and says
// in which namespaces the process is made.
//
//	prestart, createRuntime   create: the namespaces and mounts are made, the root is still the host's   in the runtime's namespaces
//	createContainer           create: right after these                                                  in the container's; its path is the host's
//	startContainer            start: before the user's program is executed                               in the container, as its user
//	poststart                 start: after it                                                            in the runtime's namespaces
//	poststop                  delete: after all is removed                                               in the runtime's namespaces
//
// A hook is made like the container's first process: a program of system calls, run by a raw child. Nothing is paid without hooks.
package hook
