package telegram

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"path"
	"time"

	"github.com/mymmrac/telego"
	ta "github.com/mymmrac/telego/telegoapi"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/channel"
)

// defaultRoot is Telegram's own Bot API server.
const defaultRoot = "https://api.telegram.org"

// allowedUpdates are the kinds asked for: the server's default ones that mean
// something here, and reactions, which must be named.
var allowedUpdates = []string{"message", "edited_message", "channel_post", "edited_channel_post", "callback_query", "message_reaction"}

// client is one bot: telego over our own caller, and what telego lacks.
type client struct {
	bot    *telego.Bot
	caller *caller
	root   string
	token  string
}

// newClient makes a bot; it touches no network. The token must be well-formed.
func newClient(c config) (*client, error) {
	hc, err := newHTTPClient(c.Proxy)
	if err != nil {
		return nil, err
	}
	root := c.APIRoot
	if root == "" {
		root = defaultRoot
	}
	call := &caller{http: hc, timeout: c.timeout()}
	bot, err := telego.NewBot(c.BotToken, telego.WithAPIServer(root), telego.WithAPICaller(call),
		telego.WithRequestConstructor(constructor{}), telego.WithDiscardLogger())
	if err != nil {
		return nil, fmt.Errorf("make bot: %w", err)
	}
	return &client{bot: bot, caller: call, root: root, token: c.BotToken}, nil
}

// close lets go of idle connections.
func (c *client) close() { c.caller.http.CloseIdleConnections() }

// updates polls once. What cannot be decoded is left out and counted: one odd update
// must not stop all that follow. next is one above the highest id seen, or 0.
func (c *client) updates(ctx context.Context, offset, timeout int) (got []telego.Update, odd, next int, err error) {
	params, err := json.Marshal(telego.GetUpdatesParams{Offset: offset, Timeout: timeout, AllowedUpdates: allowedUpdates})
	if err != nil {
		return nil, 0, 0, err
	}
	res, err := c.caller.Call(ctx, c.root+"/bot"+c.token+"/getUpdates", &ta.RequestData{ContentType: ta.ContentTypeJSON, BodyRaw: params})
	if err != nil {
		return nil, 0, 0, fmt.Errorf("getUpdates: %w", err)
	}
	if !res.Ok {
		return nil, 0, 0, fmt.Errorf("getUpdates: %w", res.Error)
	}
	var raws []json.RawMessage
	if err := json.Unmarshal(res.Result, &raws); err != nil {
		return nil, 0, 0, fmt.Errorf("getUpdates: %w", &statusError{status: http.StatusOK})
	}
	for _, raw := range raws {
		var id struct {
			UpdateID int `json:"update_id"`
		}
		if json.Unmarshal(raw, &id) == nil {
			next = max(next, id.UpdateID+1)
		}
		var u telego.Update
		if json.Unmarshal(raw, &u) != nil {
			odd++
			continue
		}
		got = append(got, u)
	}
	return got, odd, next, nil
}

// download fetches a file's bytes; at most limit.
func (c *client) download(ctx context.Context, fileID string, limit int64, w io.Writer) (channel.MediaMeta, error) {
	var meta channel.MediaMeta
	f, err := c.bot.GetFile(ctx, &telego.GetFileParams{FileID: fileID})
	if err != nil {
		return meta, fmt.Errorf("get file: %w", err)
	}
	if f.FileSize > limit {
		return meta, fmt.Errorf("%w: %d bytes, the limit is %d", channel.ErrTooLarge, f.FileSize, limit)
	}
	ctx, cancel := context.WithTimeout(ctx, c.caller.timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.bot.FileDownloadURL(f.FilePath), nil)
	if err != nil {
		return meta, fmt.Errorf("download: the API root cannot be used")
	}
	res, err := c.caller.http.Do(r)
	if err != nil {
		return meta, fmt.Errorf("download: %w", withoutURL(err))
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return meta, fmt.Errorf("download: %w", &statusError{status: res.StatusCode})
	}
	n, err := io.Copy(w, io.LimitReader(res.Body, limit+1))
	if err != nil {
		return meta, fmt.Errorf("download: %w", withoutURL(err))
	}
	if n > limit {
		return meta, fmt.Errorf("%w: more than %d bytes", channel.ErrTooLarge, limit)
	}
	meta.Size, meta.Name = n, path.Base(f.FilePath)
	if kind, _, err := mime.ParseMediaType(res.Header.Get("Content-Type")); err == nil && kind != "application/octet-stream" {
		meta.MIME = kind
	} else if kind, _, err := mime.ParseMediaType(mime.TypeByExtension(path.Ext(f.FilePath))); err == nil {
		meta.MIME = kind
	}
	return meta, nil
}

// Options are what New needs; the zero value is right outside of tests.
type Options struct {
	// Version of the binary, as Describe says it.
	Version string
	// PollTimeout is how long Telegram holds an empty poll; 0 = 30 s, rounded to seconds.
	PollTimeout time.Duration
	// PollMargin is how much longer an answer may take before the line counts as dead; 0 = 10 s.
	PollMargin time.Duration
	// FirstDelay and MaxDelay bound the waits between attempts; 0 = 2 s and 30 s.
	FirstDelay, MaxDelay time.Duration
	// AlbumWait and FragmentWait are how long the rest of an album, and of a text that was
	// cut by Telegram, is waited for; 0 = 500 ms and 1500 ms.
	AlbumWait, FragmentWait time.Duration
}

func (o Options) withDefaults() Options {
	def := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	def(&o.PollTimeout, 30*time.Second)
	def(&o.PollMargin, 10*time.Second)
	def(&o.FirstDelay, 2*time.Second)
	def(&o.MaxDelay, 30*time.Second)
	def(&o.AlbumWait, 500*time.Millisecond)
	def(&o.FragmentWait, 1500*time.Millisecond)
	if o.Version == "" {
		o.Version = "dev"
	}
	return o
}
