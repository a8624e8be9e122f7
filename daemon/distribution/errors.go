package distribution

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"hull/stages"

	"github.com/containerd/containerd/v2/core/remotes/docker"
	remoteerrors "github.com/containerd/containerd/v2/core/remotes/errors"
	"github.com/containerd/errdefs"
	"github.com/distribution/reference"
)

// Explain says in docker's words what a registry's refusal, or its absence, means for the reference. verb is pull or push.
func Explain(verb string, ref reference.Named, err error) error {
	familiar := reference.FamiliarString(ref)
	var status remoteerrors.ErrUnexpectedStatus
	var asked *url.Error
	var broken net.Error
	switch {
	case stages.KindOf(err) != stages.Internal: // it has been explained
		return err
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, docker.ErrInvalidAuthorization), errors.As(err, &status) && (status.StatusCode == http.StatusUnauthorized || status.StatusCode == http.StatusForbidden):
		return &stages.Error{
			Kind: stages.NotFound, Err: fmt.Errorf("%s access denied for %s, repository does not exist or may require authorization", verb, reference.FamiliarName(ref)),
			Hint: "hull has no login yet; docker's client sends its own along",
		}
	case errdefs.IsNotFound(err), errors.As(err, &status) && status.StatusCode == http.StatusNotFound:
		return &stages.Error{Kind: stages.NotFound, Err: fmt.Errorf("manifest for %s not found: manifest unknown", familiar)}
	case errors.As(err, &status):
		return &stages.Error{Kind: stages.Unavailable, Thing: familiar, Err: fmt.Errorf("the registry answers %s%s", status.Status, words(status.Body))}
	case errors.As(err, &asked):
		e := &stages.Error{Kind: stages.Unavailable, Thing: reference.Domain(ref), Err: fmt.Errorf("%s %q: %w", asked.Op, asked.URL, asked.Err)}
		if strings.Contains(asked.Err.Error(), "server gave HTTP response to HTTPS client") {
			e.Hint = "plain HTTP is spoken only to registries on loopback"
		}
		return e
	}
	e := &stages.Error{Kind: stages.Internal, Thing: familiar, Err: err}
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &broken) {
		e.Kind, e.Hint = stages.Unavailable, "the connection broke off: try again, what has come is kept for a day"
	}
	return e
}

// words is what a registry's error document says (distribution-spec, "Error Codes").
func words(body []byte) string {
	var doc struct {
		Errors []struct{ Code, Message string }
	}
	if json.Unmarshal(body, &doc) != nil || len(doc.Errors) == 0 {
		return ""
	}
	return fmt.Sprintf(": %.200s: %.500s", doc.Errors[0].Code, doc.Errors[0].Message)
}
