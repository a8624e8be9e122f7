package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"hull/client/engine"
)

// labelOptions are run's flags about words that hang on the container: labels for people and tools, annotations for the runtime.
type labelOptions struct {
	labels, labelFiles []string
	annotations        map[string]string
	cidfile            string
}

func (o *labelOptions) define(f *pflag.FlagSet) {
	f.VarP(listValue{&o.labels, checkLabel}, "label", "l", "Set meta data on a container")
	f.Var(listValue{&o.labelFiles, nil}, "label-file", "Read in a line delimited file of labels")
	f.Var(mapValue{&o.annotations, nil}, "annotation", "Add an annotation to the container (passed through to the OCI runtime)")
	f.StringVar(&o.cidfile, "cidfile", "", "Write the container ID to the file")
}

func (o *labelOptions) apply(body *engine.CreateRequest) error {
	labels, err := readPairs(o.labelFiles, nil)
	if err != nil {
		return err
	}
	body.Labels = map[string]string{}
	for _, l := range append(labels, o.labels...) {
		name, value, _ := strings.Cut(l, "=")
		body.Labels[name] = value
	}
	body.HostConfig.Annotations, body.HostConfig.ContainerIDFile = o.annotations, o.cidfile
	return nil
}

func checkLabel(s string) (string, error) {
	name, _, _ := strings.Cut(s, "=")
	name = strings.TrimLeft(name, " \t")
	switch {
	case name == "":
		return "", fmt.Errorf("invalid label '%s': empty name", s)
	case strings.ContainsAny(name, " \t"):
		return "", fmt.Errorf("label '%s' contains whitespaces", name)
	}
	return s, nil
}
