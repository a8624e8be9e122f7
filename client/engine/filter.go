package engine

import (
	"encoding/json"
	"net/url"
)

// Filters are docker's: each name's values are alternatives, different names must all hold.
type Filters map[string][]string

// add puts the filters into a query: {"name": {"value": true}}.
func (f Filters) add(q url.Values) {
	if len(f) == 0 {
		return
	}
	sets := map[string]map[string]bool{}
	for name, values := range f {
		sets[name] = map[string]bool{}
		for _, v := range values {
			sets[name][v] = true
		}
	}
	text, _ := json.Marshal(sets) // of strings and booleans: cannot fail
	q.Set("filters", string(text))
}
