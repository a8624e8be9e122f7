// Package namespace reads which namespaces a container asks for, and writes the rows that join existing ones. New ones need no row: they
// are flags of the clone itself (clone(2), namespaces(7)). Two kinds need more than that: a user namespace has maps of ids, which somebody
// outside must write (user.go), and a time namespace has offsets, which are written before anybody is inside (time.go).
package namespace
