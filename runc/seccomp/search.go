package seccomp

// search assembles the binary search for the number in the accumulator, and returns where it begins. A leaf may load arguments over the
// number: no way leads back from it into the search.
func (a *assembler) search(list []interval) label {
	if len(list) == 1 {
		return a.verdict(list[0].verdict)
	}
	half := len(list) / 2
	high := a.search(list[half:])
	low := a.search(list[:half])
	return a.branch(opGreaterEqual, list[half].from, high, low)
}

// verdict assembles a leaf: the rules in order, each falling to the next when a condition does not hold.
func (a *assembler) verdict(v *verdict) label {
	next := a.ret(v.otherwise)
	for i := len(v.rules) - 1; i >= 0; i-- {
		then := a.ret(v.rules[i].action)
		for j := len(v.rules[i].when) - 1; j >= 0; j-- {
			then = a.condition(v.rules[i].when[j], then, next)
		}
		next = then
	}
	return next
}
