package telegram

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
)

// maxBody bounds a request in bytes: the Bot API's own limit of 50 MB for uploads, and some room.
const maxBody = 52 << 20

// Params are the parameters of one call, however they were sent.
type Params struct {
	values map[string]json.RawMessage
	files  map[string]upload
	// Bot is the id of the bot that calls.
	Bot int64
}

type upload struct {
	name, mime string
	data       []byte
}

func readParams(r *http.Request) (Params, error) {
	p := Params{values: map[string]json.RawMessage{}, files: map[string]upload{}}
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	r.Body = http.MaxBytesReader(nil, r.Body, maxBody)
	switch kind {
	case "application/json":
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return p, err
		}
		if len(body) == 0 {
			return p, nil
		}
		return p, json.Unmarshal(body, &p.values)
	case "multipart/form-data":
		return p, p.readMultipart(r)
	}
	if err := r.ParseForm(); err != nil {
		return p, err
	}
	for k := range r.Form {
		p.setText(k, r.Form.Get(k))
	}
	return p, nil
}

func (p *Params) readMultipart(r *http.Request) error {
	parts, err := r.MultipartReader()
	if err != nil {
		return err
	}
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		data, err := io.ReadAll(part)
		if err != nil {
			return err
		}
		if part.FileName() != "" {
			p.files[part.FormName()] = upload{name: part.FileName(), mime: part.Header.Get("Content-Type"), data: data}
			continue
		}
		p.setText(part.FormName(), string(data))
	}
}

// setText keeps what is JSON as it is, and makes a string of all else.
func (p *Params) setText(key, v string) {
	if json.Valid([]byte(v)) && !strings.HasPrefix(v, `"`) {
		p.values[key] = json.RawMessage(v)
		return
	}
	raw, _ := json.Marshal(v)
	p.values[key] = raw
}

// String gives a parameter as text; numbers and objects as their JSON.
func (p Params) String(key string) string {
	raw := p.values[key]
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	return string(raw)
}

// Int gives a parameter as a number, also where it was sent as text; 0 where it is none.
func (p Params) Int(key string) int64 {
	n, _ := strconv.ParseInt(p.String(key), 10, 64)
	return n
}

// Bool gives a parameter as a truth value.
func (p Params) Bool(key string) bool { return p.String(key) == "true" }

// Into decodes a parameter that is an object or a list; also one that was sent as text.
func (p Params) Into(key string, v any) error {
	s := p.String(key)
	if s == "" {
		return nil
	}
	if err := json.Unmarshal([]byte(s), v); err != nil {
		return fmt.Errorf("parameter %s: %w", key, err)
	}
	return nil
}
