// Package confine writes the rows that take rights away from the container's first process: resource limits, capabilities, no_new_privs
// and the system call filter. runc/container decides their order, which is not free: without no_new_privs a filter can be loaded only
// while CAP_SYS_ADMIN is there; with it, the filter comes last, so that it need not allow the set-up.
package confine
