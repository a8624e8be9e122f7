package image

import (
	"context"

	"hull/stages"

	imagetypes "github.com/moby/moby/api/types/image"
)

// History lists what the config tells about each step of the image's making, newest first. The config is the image's own word: it may tell
// of more or fewer layers than there are.
func (s *Images) History(ctx context.Context, ref string) ([]imagetypes.HistoryResponseItem, error) {
	img, err := s.Inspect(ctx, ref)
	if err != nil {
		return nil, err
	}
	sizes, err := s.layerSizes(ctx, img)
	if err != nil {
		return nil, err
	}
	rows := []imagetypes.HistoryResponseItem{}
	for _, h := range img.Config.History {
		row := imagetypes.HistoryResponseItem{ID: "<missing>", CreatedBy: h.CreatedBy, Comment: h.Comment}
		if h.Created != nil {
			row.Created = h.Created.Unix()
		}
		if !h.EmptyLayer && len(sizes) > 0 {
			row.Size, sizes = sizes[0], sizes[1:]
		}
		rows = append([]imagetypes.HistoryResponseItem{row}, rows...)
	}
	if len(rows) > 0 {
		rows[0].ID, rows[0].Tags = img.ID.String(), img.Familiar()
	}
	return rows, nil
}

// layerSizes is what each layer takes on the disk, unpacked.
func (s *Images) layerSizes(ctx context.Context, img *Image) (sizes []int64, err error) {
	for i, chain := range chains(img) {
		size, err := s.ctd.SnapshotUsage(ctx, chain)
		if stages.KindOf(err) == stages.NotFound && err != nil { // another client's image, never unpacked
			size, err = img.Layers[i].Size, nil
		}
		if err != nil {
			return nil, err
		}
		sizes = append(sizes, size)
	}
	return sizes, nil
}

// DiskSize is what all of the image's layers take, unpacked: what docker calls an image's size.
func (s *Images) DiskSize(ctx context.Context, img *Image) (total int64, err error) {
	s.mu.Lock()
	total, ok := s.sizes[img.Target.Digest]
	s.mu.Unlock()
	if ok {
		return total, nil
	}
	sizes, err := s.layerSizes(ctx, img)
	if err != nil {
		return 0, err
	}
	for _, n := range sizes {
		total += n
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.sizes) >= maxKnown {
		clear(s.sizes)
	}
	s.sizes[img.Target.Digest] = total
	return total, nil
}
