package confine

// KnownCapabilities are the names that process.capabilities may hold, in the kernel's order.
func KnownCapabilities() []string { return names[:] }
