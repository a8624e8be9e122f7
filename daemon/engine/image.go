package engine

import (
	"context"
	"io"

	"hull/daemon/distribution"
	"hull/daemon/image"

	"github.com/moby/moby/api/types/events"
)

// LoadImages reads an archive of images; loaded is called for each that can be run.
func (e *Engine) LoadImages(ctx context.Context, archive io.Reader, loaded func(*image.Image)) error {
	return e.images.Load(ctx, archive, func(img *image.Image) {
		e.events.image(events.ActionLoad, img.ID.String(), img.ID.String())
		loaded(img)
	})
}

// RemoveImage takes a name away, or an image with all its names.
func (e *Engine) RemoveImage(ctx context.Context, ref string, force bool) (image.Removed, error) {
	gone, err := e.images.Remove(ctx, ref, force, e.UsersOf)
	e.removed(gone)
	return gone, err
}

// removed tells listeners what became of an image.
func (e *Engine) removed(gone image.Removed) {
	id := ""
	if len(gone.Deleted) > 0 {
		id = gone.Deleted[0]
	}
	for _, name := range gone.Untagged {
		e.events.image(events.ActionUnTag, id, name)
	}
	if id != "" {
		e.events.image(events.ActionDelete, id, id)
	}
}

// TagImage gives an image a further name.
func (e *Engine) TagImage(ctx context.Context, ref, name string) error {
	if err := e.images.Tag(ctx, ref, name); err != nil {
		return err
	}
	e.events.image(events.ActionTag, ref, name)
	return nil
}

// PullImage fetches an image from its registry; say is told how far it is.
func (e *Engine) PullImage(ctx context.Context, ref string, login distribution.Login, say image.Say) error {
	_, err := e.images.Pull(ctx, ref, login, say)
	if err != nil {
		return err
	}
	e.events.image(events.ActionPull, ref, ref)
	return nil
}

// PushImage sends a repository's image with the tag to its registry, or with no tag all of them.
func (e *Engine) PushImage(ctx context.Context, repository, tag string, login distribution.Login, say image.Say) error {
	refs := []string{repository + ":" + tag}
	if tag == "" {
		var err error
		if refs, err = e.images.TagsOf(ctx, repository); err != nil {
			return err
		}
	}
	for _, ref := range refs {
		if err := e.images.Push(ctx, ref, login, say); err != nil {
			return err
		}
		e.events.image(events.ActionPush, ref, ref)
	}
	return nil
}

// ImportImage makes an image of one layer: the root file system in the archive. name may be empty.
func (e *Engine) ImportImage(ctx context.Context, archive io.Reader, name, message string, changes []string) (*image.Image, error) {
	r := image.Recipe{Layer: archive, Comment: message}
	if r.Comment == "" {
		r.Comment = "Imported from -"
	}
	if err := image.Change(&r.Config, changes); err != nil {
		return nil, err
	}
	var err error
	if name != "" {
		if r.Name, err = image.TagName(name); err != nil {
			return nil, err
		}
	}
	img, err := e.images.Make(ctx, r)
	if err == nil {
		e.events.image(events.ActionImport, img.ID.String(), name)
	}
	return img, err
}

// PruneImages removes images that no container was made from.
func (e *Engine) PruneImages(ctx context.Context, o image.PruneOptions) ([]image.Removed, int64, error) {
	gone, freed, err := e.images.Prune(ctx, o, e.UsersOf)
	for _, g := range gone {
		e.removed(g)
	}
	return gone, freed, err
}
