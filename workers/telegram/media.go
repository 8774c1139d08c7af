package telegram

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/mymmrac/telego"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/channel"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
)

// fileRef is what a MediaRef holds: Telegram's own names of a file, which outlive the process.
type fileRef struct {
	ID     string `json:"id"`
	Unique string `json:"unique,omitempty"`
}

func ref(id, unique string, kind message.MediaKind, mime, name string, size int64) channel.MediaRef {
	opaque, err := json.Marshal(fileRef{ID: id, Unique: unique})
	if err != nil {
		panic(err) // two strings
	}
	return channel.MediaRef{Opaque: opaque, Kind: kind, MIME: mime, Name: name, Size: size}
}

// mediaRefs lists the files of a message. Animated stickers and video stickers are left out.
func mediaRefs(m *telego.Message) []channel.MediaRef {
	switch {
	case len(m.Photo) > 0:
		best := m.Photo[0]
		for _, p := range m.Photo[1:] {
			if p.Width*p.Height > best.Width*best.Height {
				best = p
			}
		}
		return []channel.MediaRef{ref(best.FileID, best.FileUniqueID, message.MediaImage, "image/jpeg", "", int64(best.FileSize))}
	case m.Animation != nil: // stands before Document: Telegram sets both
		f := m.Animation
		return []channel.MediaRef{ref(f.FileID, f.FileUniqueID, message.MediaAnimation, cmp.Or(f.MimeType, "video/mp4"), f.FileName, f.FileSize)}
	case m.Video != nil:
		f := m.Video
		return []channel.MediaRef{ref(f.FileID, f.FileUniqueID, message.MediaVideo, cmp.Or(f.MimeType, "video/mp4"), f.FileName, f.FileSize)}
	case m.VideoNote != nil:
		f := m.VideoNote
		return []channel.MediaRef{ref(f.FileID, f.FileUniqueID, message.MediaVideo, "video/mp4", "", int64(f.FileSize))}
	case m.Voice != nil:
		f := m.Voice
		return []channel.MediaRef{ref(f.FileID, f.FileUniqueID, message.MediaVoice, cmp.Or(f.MimeType, "audio/ogg"), "", f.FileSize)}
	case m.Audio != nil:
		f := m.Audio
		return []channel.MediaRef{ref(f.FileID, f.FileUniqueID, message.MediaAudio, cmp.Or(f.MimeType, "audio/mpeg"), f.FileName, f.FileSize)}
	case m.Document != nil:
		f := m.Document
		return []channel.MediaRef{ref(f.FileID, f.FileUniqueID, message.MediaDocument, f.MimeType, f.FileName, f.FileSize)}
	case m.Sticker != nil && !m.Sticker.IsAnimated && !m.Sticker.IsVideo:
		f := m.Sticker
		return []channel.MediaRef{ref(f.FileID, f.FileUniqueID, message.MediaSticker, "image/webp", "", int64(f.FileSize))}
	}
	return nil
}

// FetchMedia implements channel.MediaFetcher.
func (a *Adaptor) FetchMedia(ctx context.Context, id channel.AccountID, r channel.MediaRef, maxBytes int64, w io.Writer) (channel.MediaMeta, error) {
	acc, err := a.running(id)
	if err != nil {
		return channel.MediaMeta{}, err
	}
	var f fileRef
	if json.Unmarshal(r.Opaque, &f) != nil || f.ID == "" {
		return channel.MediaMeta{}, errors.New("the media reference is not one of this channel's")
	}
	limit := acc.cfg.mediaMax()
	if maxBytes > 0 {
		limit = maxBytes
	}
	meta, err := acc.client.download(ctx, f.ID, limit, w)
	if err != nil {
		if errors.Is(err, channel.ErrTooLarge) {
			return meta, err
		}
		return meta, fmt.Errorf("%s", redact(acc.cfg.BotToken, err.Error()))
	}
	meta.Kind, meta.MIME, meta.Name = r.Kind, cmp.Or(r.MIME, meta.MIME), cmp.Or(r.Name, meta.Name)
	return meta, nil
}
