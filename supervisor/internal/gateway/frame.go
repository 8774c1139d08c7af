package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"sync"
	"unicode/utf8"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/gateway/schema"
)

// errNotJSON says that a frame is no JSON at all.
var errNotJSON = errors.New("frame is not JSON")

// request is a frame that passed the schema. Params share the frame's bytes.
type request struct {
	id, method string
	params     json.RawMessage
}

// parseRequest reads a frame. The error is errNotJSON, or the answer for a
// frame that is no request, under the id that is returned beside it.
func (m *Methods) parseRequest(frame []byte) (request, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(frame, &fields); err != nil {
		if !json.Valid(frame) {
			return request{}, errNotJSON
		}
		return request{id: "invalid"}, m.badFrame(frame)
	}
	r := request{id: text(fields["id"]), method: text(fields["method"]), params: fields["params"]}
	known := 3
	if r.params != nil {
		known = 4
	}
	if string(r.params) == "null" {
		r.params = nil
	}
	if r.id != "" && r.method != "" && len(fields) == known && string(fields["type"]) == `"req"` {
		return r, nil
	}
	if r.id == "" {
		r.id = "invalid"
	}
	return r, m.badFrame(frame)
}

// badFrame words what is wrong with a frame.
func (m *Methods) badFrame(frame []byte) error {
	err := m.checkAs("RequestFrame", frame)
	var bad *schema.Error
	if errors.As(err, &bad) {
		return protocol.Invalid("invalid request frame: %s", bad)
	}
	if err != nil {
		return protocol.Unavailable("%v", err)
	}
	return protocol.Invalid("%s", protocol.ReasonInvalidRequest)
}

// text reads a JSON string; anything else is empty.
func text(raw json.RawMessage) string {
	if len(raw) < 2 || raw[0] != '"' {
		return ""
	}
	inner := raw[1 : len(raw)-1]
	if bytes.IndexByte(inner, '\\') < 0 && utf8.Valid(inner) {
		return string(inner)
	}
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

// Buffers that frames are built and read in go back to a pool, unless they
// have grown large.
const maxPooled = 64 * 1024

var buffers = sync.Pool{New: func() any { return new([]byte) }}

func takeBuffer() []byte { return (*buffers.Get().(*[]byte))[:0] }

func giveBuffer(b []byte) {
	if cap(b) > 0 && cap(b) <= maxPooled {
		buffers.Put(&b)
	}
}

// appendResponse writes a response frame. A payload that cannot be marshalled
// becomes an error.
func appendResponse(b []byte, id string, payload any, failure *protocol.Error) []byte {
	raw, ok := payload.(json.RawMessage)
	if !ok && payload != nil {
		var err error
		if raw, err = json.Marshal(payload); err != nil {
			raw, failure = nil, protocol.Unavailable("marshal answer: %v", err)
		}
	}
	b = append(b, `{"type":"res","id":`...)
	b = appendString(b, id)
	b = append(b, `,"ok":`...)
	b = strconv.AppendBool(b, failure == nil)
	if raw != nil {
		b = append(b, `,"payload":`...)
		b = append(b, raw...)
	}
	if failure != nil {
		b = append(b, `,"error":`...)
		shape, err := json.Marshal(failure)
		if err != nil { // details that are no JSON
			shape, _ = json.Marshal(&protocol.Error{Code: failure.Code, Message: failure.Message})
		}
		b = append(b, shape...)
	}
	return append(b, '}')
}

// appendString writes s as a JSON string.
func appendString(b []byte, s string) []byte {
	plain := utf8.ValidString(s)
	for i := 0; plain && i < len(s); i++ {
		plain = s[i] >= 0x20 && s[i] != '"' && s[i] != '\\' && s[i] < 0x7f
	}
	if plain {
		b = append(b, '"')
		b = append(b, s...)
		return append(b, '"')
	}
	quoted, _ := json.Marshal(s) // a string always marshals
	return append(b, quoted...)
}
