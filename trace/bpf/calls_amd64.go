package bpf

import (
	"hull/stages"

	"golang.org/x/sys/unix"
)

// archCalls are the calls that newer architectures left out for their ...at forms.
var archCalls = []call{
	{unix.SYS_MKNOD, "mknod", stages.EventMknod, str0, []arg{{"path", str(0)}, {"mode", fileMode(1)}, {"device", device(2)}}},
}
