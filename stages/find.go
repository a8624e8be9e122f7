package stages

import "strings"

// Find is the steps that a name stands for: one step's dotted name, or with * at its end all whose names begin so. It is empty if there is none.
func Find(name string) (found []Step) {
	start, many := strings.CutSuffix(name, "*")
	for _, s := range All() {
		if s.Name == name || many && strings.HasPrefix(s.Name, start) {
			found = append(found, s)
		}
	}
	return found
}
