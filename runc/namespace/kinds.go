package namespace

import "slices"

// Kinds are the types of linux.namespaces that Parse takes, by name.
func Kinds() (list []string) {
	for _, k := range kinds {
		list = append(list, string(k.typ))
	}
	slices.Sort(list)
	return list
}
