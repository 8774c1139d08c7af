package telegram

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime/multipart"
	"slices"

	"github.com/mymmrac/telego"
	ta "github.com/mymmrac/telego/telegoapi"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/channel"
)

// upload is one file of a send, pulled from the supervisor while Telegram takes it.
type upload struct {
	source channel.MediaSource
	meta   channel.MediaMeta
	// index is its place among the files: they can only be read in order.
	index int
	name  string
	r     io.Reader
	n     int64
}

// Name is the file's name on Telegram; unique within a send.
func (u *upload) Name() string { return u.name }

// Read gives the bytes; ones that are missing at the end are an error, so that half a file is never sent.
func (u *upload) Read(p []byte) (int, error) {
	if u.r == nil {
		_, r, err := u.source.Next()
		if err != nil {
			return 0, fmt.Errorf("media %d: %w", u.index, err)
		}
		u.r = r
	}
	n, err := u.r.Read(p)
	u.n += int64(n)
	if errors.Is(err, io.EOF) && u.n < u.meta.Size {
		return n, fmt.Errorf("media %d ended after %d of %d bytes", u.index, u.n, u.meta.Size)
	}
	return n, err
}

// constructor builds requests without goroutines: a multipart body is read file by
// file, in the order of the source.
type constructor struct{ ta.DefaultConstructor }

var _ ta.RequestConstructor = constructor{}

// sizedBody is a body whose length is known before it is read.
type sizedBody struct {
	io.Reader
	length int64
}

// Len is the length in bytes, or -1.
func (b *sizedBody) Len() int64 { return b.length }

// MultipartRequest implements telego's RequestConstructor.
func (constructor) MultipartRequest(params map[string]string, files map[string]ta.NamedReader) (*ta.RequestData, error) {
	var buf bytes.Buffer
	var parts []io.Reader
	body := &sizedBody{}
	w := multipart.NewWriter(&buf)
	flush := func() {
		b := bytes.Clone(buf.Bytes())
		buf.Reset()
		body.length += int64(len(b))
		parts = append(parts, bytes.NewReader(b))
	}
	for _, k := range slices.Sorted(maps.Keys(params)) {
		if err := w.WriteField(k, params[k]); err != nil {
			return nil, fmt.Errorf("write field: %w", err)
		}
	}
	type named struct {
		field string
		file  *upload
	}
	var ordered []named
	for field, f := range files {
		if u, ok := f.(*upload); ok {
			ordered = append(ordered, named{field, u})
		}
	}
	slices.SortFunc(ordered, func(a, b named) int { return cmp.Compare(a.file.index, b.file.index) })
	for _, f := range ordered {
		if _, err := w.CreateFormFile(f.field, f.file.name); err != nil {
			return nil, fmt.Errorf("write file header: %w", err)
		}
		flush()
		parts = append(parts, f.file)
		body.length += f.file.meta.Size
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("end of the form: %w", err)
	}
	flush()
	for _, f := range ordered {
		if f.file.meta.Size <= 0 {
			body.length = -1 // not said: sent in chunks
		}
	}
	body.Reader = io.MultiReader(parts...)
	return &ta.RequestData{ContentType: w.FormDataContentType(), BodyStream: body}, nil
}

func (u *upload) input() telego.InputFile { return telego.InputFile{File: u} }
