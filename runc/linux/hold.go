package linux

import "golang.org/x/sys/unix"

// Hold appends the rows in which the child says that it waits, and waits until [Release] comes over the pipe. An end of file instead (the
// parent has died) is a failure: what was to be done meanwhile has not been done. Both ends are ours; the child closes its copy of the
// other end first, or it would never see the end of file.
func (p *Program) Hold(read, write *int32) {
	answer := &[2]int32{int32(unix.ECANCELED)} // until Release overwrites it
	wait := call("read", unix.SYS_READ, FD(read), Mem(answer), Num(8))
	done := Close(FD(read))
	done.gate = answer
	p.Do(Close(FD(write)), p.say("write", held), wait, done)
}

// Release lets the child go on.
func Release(write int) error {
	_, err := Retry(func() (int, error) { return unix.Write(write, make([]byte, 8)) })
	return err
}
