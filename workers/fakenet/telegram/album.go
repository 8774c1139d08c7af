package telegram

import (
	"fmt"
	"strings"
)

// The Bot API's bounds of an album.
const (
	minAlbum = 2
	maxAlbum = 10
)

// sendMediaGroup accepts an album whole or not at all; each item is a message of its own.
func sendMediaGroup(b *Bot, p Params) (any, *apiError) {
	c, err := b.target(p)
	if err != nil {
		return nil, err
	}
	var items []struct {
		Type      string `json:"type"`
		Media     string `json:"media"`
		Caption   string `json:"caption"`
		ParseMode string `json:"parse_mode"`
	}
	if e := p.Into("media", &items); e != nil {
		return nil, badRequest("can't parse media")
	}
	if len(items) < minAlbum || len(items) > maxAlbum {
		return nil, badRequest("there must be from %d to %d media in an album", minAlbum, maxAlbum)
	}
	group := map[string]string{"photo": "visual", "video": "visual", "audio": "audio", "document": "document"}
	album := fmt.Sprintf("album-%d-%d", b.ID, len(b.sent))
	var ready []Sent
	for _, it := range items {
		if group[it.Type] == "" || group[it.Type] != group[items[0].Type] {
			return nil, badRequest("%s can't be mixed with other media types", it.Type)
		}
		up, ok := p.files[strings.TrimPrefix(it.Media, "attach://")]
		if !ok || len(up.data) == 0 {
			return nil, badRequest("wrong file identifier/HTTP URL specified")
		}
		m := Sent{Raw: it.Caption, ParseMode: it.ParseMode, Text: it.Caption, File: up.data, FileName: up.name, FileMIME: up.mime, Album: album}
		if it.ParseMode == "HTML" {
			if m.Text, m.Entities, err = parseHTML(it.Caption); err != nil {
				return nil, err
			}
		}
		if units(m.Text) > maxCaption {
			return nil, badRequest("message caption is too long")
		}
		ready = append(ready, m)
	}
	var out []any
	for _, m := range ready {
		msg, err := b.accept(c, p, "sendMediaGroup", m, Object{"caption": m.Text, "media_group_id": album})
		if err != nil {
			return nil, err // thread and reply: the same for all, so that none was accepted before
		}
		out = append(out, msg)
	}
	return out, nil
}
