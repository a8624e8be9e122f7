package network

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// apart runs f on a thread that ends with it. A thread that has changed namespaces must serve no other goroutine; locked and never unlocked it is
// thrown away. The main thread cannot be: it would be parked for good where it is, and keep that namespace alive (Go, runtime/proc.go
// mexit). If f would come to run there, that thread is held until another has done it.
func apart(f func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		if unix.Gettid() == unix.Getpid() {
			done <- apart(f)
			runtime.UnlockOSThread()
			return
		}
		done <- f()
	}()
	return <-done
}
