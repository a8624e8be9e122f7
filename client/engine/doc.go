// Package engine makes typed calls to the Docker Engine API over a UNIX socket: what `docker` or `hull` says to `dockerd` or `hulld`.
// It is called by client/cli only. It prints nothing, decides no exit code and knows no command line.
//
// The API is HTTP/1.1, and the client speaks it itself (wire.go): a request line, headers, an answer. Go's net/http would do it as well
// and brings TLS, HTTP/2, proxies and cookies along, which cost each start of `hull` 40 page faults and 4 ms before the first byte is
// sent (docs/adr/0008-own-http-client.md). For the same reason the bodies are small structs of our own (types.go), each naming the part of
// the specification that it follows; fields that a newer daemon adds are ignored.
//
// Traps:
//   - the answer to wait begins before the container has started: Wait returns when its headers are there, Result when its body is;
//   - attach takes the connection over; closing its write half tells the container that its input has ended, and nothing else;
//   - each call uses a connection of its own, so that a waiting call never holds up another, and a step's connect(2) is its own.
package engine
