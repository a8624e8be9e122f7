// Package namespace reads which namespaces a container asks for, and writes the rows that join existing ones. New ones need no row: they
// are flags of the clone itself (clone(2), namespaces(7)).
package namespace
