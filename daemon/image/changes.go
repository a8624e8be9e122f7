package image

import (
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strings"

	"hull/stages"

	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
)

// Change applies instructions in a Dockerfile's form (import -c, commit -c) to a config: CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, ONBUILD,
// STOPSIGNAL, USER, VOLUME and WORKDIR. Others need a build, and are refused by name.
func Change(config *dockerspec.DockerOCIImageConfig, instructions []string) error {
	for _, line := range instructions {
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		rest = strings.TrimSpace(rest)
		word = strings.ToUpper(word)
		if rest == "" {
			return wrongChange(line, errors.New("it says nothing"))
		}
		if err := change(config, word, rest); err != nil {
			return wrongChange(line, err)
		}
	}
	return nil
}

func wrongChange(line string, err error) error {
	return &stages.Error{Kind: stages.Invalid, Thing: "change " + strings.TrimSpace(line), Err: err}
}

func change(c *dockerspec.DockerOCIImageConfig, word, rest string) error {
	switch word {
	case "CMD":
		c.Cmd = command(rest)
	case "ENTRYPOINT":
		c.Entrypoint = command(rest)
	case "ENV":
		return pairs(rest, func(k, v string) { c.Env = setEnv(c.Env, k, v) })
	case "LABEL":
		if c.Labels == nil {
			c.Labels = map[string]string{}
		}
		return pairs(rest, func(k, v string) { c.Labels[k] = v })
	case "EXPOSE":
		if c.ExposedPorts == nil {
			c.ExposedPorts = map[string]struct{}{}
		}
		for _, port := range strings.Fields(rest) {
			if !strings.Contains(port, "/") {
				port += "/tcp"
			}
			c.ExposedPorts[port] = struct{}{}
		}
	case "VOLUME":
		if c.Volumes == nil {
			c.Volumes = map[string]struct{}{}
		}
		for _, dir := range list(rest) {
			c.Volumes[dir] = struct{}{}
		}
	case "WORKDIR":
		if !path.IsAbs(rest) {
			rest = path.Join("/", c.WorkingDir, rest)
		}
		c.WorkingDir = path.Clean(rest)
	case "USER":
		c.User = rest
	case "STOPSIGNAL":
		c.StopSignal = rest
	case "ONBUILD":
		c.OnBuild = append(c.OnBuild, rest)
	default:
		return &stages.Error{Kind: stages.Unsupported, Err: fmt.Errorf("%s is not a valid change command here", strings.ToLower(word))}
	}
	return nil
}

// command is a JSON list as it is, or a line for the shell.
func command(rest string) []string {
	var words []string
	if json.Unmarshal([]byte(rest), &words) == nil {
		return words
	}
	return []string{"/bin/sh", "-c", rest}
}

// list is a JSON list, or words.
func list(rest string) []string {
	var words []string
	if json.Unmarshal([]byte(rest), &words) == nil {
		return words
	}
	return strings.Fields(rest)
}

// pairs reads KEY=VALUE ..., where a value may be quoted, or KEY and the rest of the line.
func pairs(rest string, set func(k, v string)) error {
	words, err := split(rest)
	if err != nil {
		return err
	}
	if !strings.Contains(words[0], "=") {
		key, value, ok := strings.Cut(rest, " ")
		if !ok {
			return fmt.Errorf("%q has no value", key)
		}
		set(key, strings.TrimSpace(value))
		return nil
	}
	for _, w := range words {
		key, value, ok := strings.Cut(w, "=")
		if !ok || key == "" {
			return fmt.Errorf("%q is not KEY=VALUE", w)
		}
		set(key, value)
	}
	return nil
}

// split cuts a line into words at spaces that neither a quote nor a backslash protects.
func split(line string) (words []string, err error) {
	var word strings.Builder
	quote, begun := rune(0), false
	runes := []rune(line)
	for i := 0; i < len(runes); i++ {
		switch r := runes[i]; {
		case r == '\\' && i+1 < len(runes) && quote != '\'':
			i++
			word.WriteRune(runes[i])
			begun = true
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '"' || r == '\''):
			quote, begun = r, true
		case quote == 0 && (r == ' ' || r == '\t'):
			if begun {
				words, begun = append(words, word.String()), false
				word.Reset()
			}
		default:
			word.WriteRune(r)
			begun = true
		}
	}
	if quote != 0 {
		return nil, fmt.Errorf("the quote %c is not closed", quote)
	}
	if begun {
		words = append(words, word.String())
	}
	if len(words) == 0 {
		return nil, errors.New("it says nothing")
	}
	return words, nil
}

func setEnv(env []string, key, value string) []string {
	for i, e := range env {
		if k, _, _ := strings.Cut(e, "="); k == key {
			env[i] = key + "=" + value
			return env
		}
	}
	return append(env, key+"="+value)
}
