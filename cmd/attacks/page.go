package main

import (
	"fmt"
	"strings"
)

// page is docs/attacks.md.
func page(tests []test) string {
	var b strings.Builder
	fmt.Fprintf(&b, `# Attacks

Each of these broke a container engine once. hull tries them all on itself: `+"`make attacks`"+` runs the tests below and says which held; a short form of
each is part of `+"`make test`"+`. A canary, a file of the host outside every root, is looked at before and after; races count what the attacker did, because
an attack that never struck proves nothing. For those marked *weakened* the same test is also run against a build without the protection (build tag
`+"`weakened`"+`, files named `+"`*_weakened.go`"+`), and must see the attack succeed.

Read an attack's advisory first, then its test, then the code that holds. This page is made from `+"`cmd/attacks/table.go`"+` and the tests' names by
`+"`go test ./cmd/attacks -update`"+`.

`)
	for _, a := range attacks {
		fmt.Fprintf(&b, "## %d. %s\n\n%s.\n\n", a.number, a.cve, sentence(a.tries))
		if a.notOffered != "" {
			fmt.Fprintf(&b, "**Not offered:** %s.\n\n", a.notOffered)
			continue
		}
		fmt.Fprintf(&b, "**Holds:** %s.\n\n", a.holds)
		for _, t := range of(tests, a.number) {
			fmt.Fprintf(&b, "- `%s` in [%s/%s](../%[2]s/%[3]s)", t.name, t.folder, t.file)
			if strings.HasSuffix(t.name, "Weakened") {
				b.WriteString(", *weakened*")
			}
			b.WriteString("\n")
		}
		b.WriteString("\n")
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func sentence(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
