package bpf

// archCalls: arm64 has none of the older forms (mknod).
var archCalls []call
