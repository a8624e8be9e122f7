package spec

import "github.com/moby/moby/api/types/container"

// CheckRestartPolicy refuses what docker refuses.
func CheckRestartPolicy(p container.RestartPolicy) error {
	switch p.Name {
	case container.RestartPolicyOnFailure:
		if p.MaximumRetryCount < 0 {
			return invalid("invalid restart policy: maximum retry count cannot be negative")
		}
	case container.RestartPolicyAlways, container.RestartPolicyUnlessStopped, container.RestartPolicyDisabled, "":
		if p.MaximumRetryCount < 0 {
			return invalid("invalid restart policy: maximum retry count can only be used with 'on-failure' and cannot be negative")
		}
		if p.MaximumRetryCount != 0 {
			return invalid("invalid restart policy: maximum retry count can only be used with 'on-failure'")
		}
	default:
		return invalid("invalid restart policy: unknown policy '%s'; use one of '%s', '%s', '%s', or '%s'", p.Name,
			container.RestartPolicyDisabled, container.RestartPolicyAlways, container.RestartPolicyOnFailure, container.RestartPolicyUnlessStopped)
	}
	return nil
}
