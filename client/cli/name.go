package cli

import (
	"fmt"
	"strings"
)

// An imageName is an image's name taken apart, as the daemon will: the library that does it there for all of the grammar compiles two dozen regular
// expressions at each start, too much for a client.
type imageName struct {
	domain, path string // docker.io, library/busybox
	tag, digest  string // one of them may be given
}

const (
	defaultDomain = "docker.io"
	officialPath  = "library/"
)

// readName takes a name apart: [HOST[:PORT]/]PATH[:TAG][@DIGEST].
func readName(s string) (n imageName, err error) {
	rest, digest, digested := strings.Cut(s, "@")
	n.digest = digest
	if at := strings.LastIndexByte(rest, ':'); at > strings.LastIndexByte(rest, '/') {
		rest, n.tag = rest[:at], rest[at+1:]
		if n.tag == "" || len(n.tag) > 128 || strings.Trim(n.tag, lower+upper+digits+"_.-") != "" {
			return n, errName
		}
	}
	if first, path, ok := strings.Cut(rest, "/"); ok && (strings.ContainsAny(first, ".:") || first == "localhost" || strings.ToLower(first) != first) {
		n.domain, n.path = first, path
	} else {
		n.domain, n.path = defaultDomain, rest
	}
	if n.domain == "index.docker.io" {
		n.domain = defaultDomain
	}
	if n.domain == defaultDomain && !strings.Contains(n.path, "/") {
		n.path = officialPath + n.path
	}
	algorithm, hex, _ := strings.Cut(digest, ":")
	switch {
	case strings.ToLower(n.path) != n.path:
		return n, saidf("invalid reference format: repository name (%s) must be lowercase", n.path)
	case digested && (algorithm == "" || len(hex) < 32 || strings.Trim(hex, digits+"abcdef") != ""):
		return n, errName
	}
	for _, part := range strings.Split(n.path, "/") {
		if part == "" || strings.Trim(part, lower+digits+"_.-") != "" || strings.Trim(part, "_.-") != part {
			return n, errName
		}
	}
	return n, nil
}

const (
	lower   = "abcdefghijklmnopqrstuvwxyz"
	upper   = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits  = "0123456789"
	errName = said("invalid reference format")
)

// bare reports whether only a repository was given.
func (n imageName) bare() bool { return n.tag == "" && n.digest == "" }

// repository is the name without a tag, as short as it may be written.
func (n imageName) repository() string {
	switch {
	case n.domain != defaultDomain:
		return n.domain + "/" + n.path
	case strings.Count(n.path, "/") == 1:
		return strings.TrimPrefix(n.path, officialPath)
	}
	return n.path
}

// version is the digest, if there is one, or the tag: latest, if there is none.
func (n imageName) version() string {
	switch {
	case n.digest != "":
		return n.digest
	case n.tag != "":
		return n.tag
	}
	return "latest"
}

// String is the whole name in full.
func (n imageName) String() string {
	if n.digest != "" {
		return fmt.Sprintf("%s/%s@%s", n.domain, n.path, n.digest)
	}
	return fmt.Sprintf("%s/%s:%s", n.domain, n.path, n.version())
}
