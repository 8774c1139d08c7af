package gateway

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
)

const (
	historyDefault  = 200
	historyMaxBytes = 6 * 1024 * 1024
	imageMaxBytes   = 5_000_000
)

func (s *Server) registerChat() {
	m, b := s.methods, s.cfg.Backends
	if b.Chats != nil {
		m.add(method{name: protocol.MethodChatHistory, params: "ChatHistoryParams", agent: true, handle: s.chatHistory})
		m.add(method{name: protocol.MethodChatAbort, params: "ChatAbortParams", handle: s.chatAbort})
		m.add(method{name: protocol.MethodChatSend, params: "ChatSendParams", handle: s.chatSend})
	}
	if b.Notes != nil {
		m.add(method{name: protocol.MethodChatInject, params: "ChatInjectParams", unlisted: true, handle: s.chatInject})
	}
}

// stopWords end a session's runs when they are the whole message.
var stopWords = []string{"/stop", "stop", "esc", "abort", "wait", "exit", "interrupt"}

func isStopWord(text string) bool {
	return slices.Contains(stopWords, strings.ToLower(strings.TrimSpace(text)))
}

func (s *Server) chatSend(ctx context.Context, c *call) error {
	var p protocol.ChatSendParams
	if err := c.decode(&p); err != nil {
		return err
	}
	if isStopWord(p.Message) {
		return s.abort(ctx, c, AbortRequest{Caller: c.Caller, SessionKey: p.SessionKey, Reason: "stop"})
	}
	if strings.TrimSpace(p.Message) == "" && len(p.Attachments) == 0 {
		return protocol.Invalid("message or attachment required")
	}
	images, err := decodeImages(p.Attachments)
	if err != nil {
		return err
	}
	start, err := s.cfg.Backends.Chats.StartChat(ctx, ChatRequest{Caller: c.Caller, Params: p, Images: images})
	if err != nil {
		return err
	}
	if start.Begin != nil {
		defer start.Begin()
	}
	c.Reply(start.Result)
	return nil
}

func (s *Server) chatAbort(ctx context.Context, c *call) error {
	var p protocol.ChatAbortParams
	if err := c.decode(&p); err != nil {
		return err
	}
	return s.abort(ctx, c, AbortRequest{Caller: c.Caller, SessionKey: p.SessionKey, RunID: p.RunID, Reason: "rpc"})
}

func (s *Server) abort(ctx context.Context, c *call, r AbortRequest) error {
	ids, err := s.cfg.Backends.Chats.Abort(ctx, r)
	if err != nil {
		return err
	}
	if ids == nil {
		ids = []string{}
	}
	c.Reply(protocol.ChatAbortResult{OK: true, Aborted: len(ids) > 0, RunIDs: ids})
	return nil
}

func (s *Server) chatHistory(ctx context.Context, c *call) error {
	var p protocol.ChatHistoryParams
	if err := c.decode(&p); err != nil {
		return err
	}
	if p.Limit == 0 {
		p.Limit = historyDefault
	}
	if err := c.ownSession(p.SessionKey); err != nil {
		return err
	}
	r, err := s.cfg.Backends.Chats.History(ctx, p)
	if err != nil {
		return err
	}
	r.Messages = newest(r.Messages, p.Limit, historyMaxBytes)
	if r.ThinkingLevel == "" {
		r.ThinkingLevel = "off"
	}
	c.Reply(r)
	return nil
}

// newest keeps the last messages: at most limit, and at most size bytes.
func newest(list []json.RawMessage, limit, size int) []json.RawMessage {
	first := len(list)
	for first > 0 && len(list)-first < limit {
		if size -= len(list[first-1]) + 1; size < 0 {
			break
		}
		first--
	}
	return append([]json.RawMessage{}, list[first:]...)
}

func (s *Server) chatInject(ctx context.Context, c *call) error {
	var p protocol.ChatInjectParams
	if err := c.decode(&p); err != nil {
		return err
	}
	id, err := s.cfg.Backends.Notes.Inject(ctx, p)
	if err != nil {
		return err
	}
	c.Reply(protocol.ChatInjectResult{OK: true, MessageID: id})
	return nil
}

// ownSession keeps a run within its own session; others may name any.
func (c *call) ownSession(key string) error {
	if c.Agent == nil || key == c.Agent.SessionKey {
		return nil
	}
	return protocol.Invalid("session %s does not belong to this run", key)
}

// decodeImages checks attachments. What is no image is left out; an image
// whose content is no base64 is refused.
func decodeImages(list []json.RawMessage) ([]Image, error) {
	var images []Image
	total := 0
	for i, raw := range list {
		var a protocol.Attachment
		if err := json.Unmarshal(raw, &a); err != nil {
			return nil, protocol.Invalid("Error: attachment %d: must be an object with content (base64)", i+1)
		}
		name := a.FileName
		if name == "" {
			name = fmt.Sprintf("attachment-%d", i+1)
		}
		content, mime := a.Content, a.MimeType
		if rest, ok := strings.CutPrefix(content, "data:"); ok {
			head, body, found := strings.Cut(rest, ",")
			if found {
				content = body
				if mime == "" {
					mime, _, _ = strings.Cut(head, ";")
				}
			}
		}
		data, err := base64.StdEncoding.DecodeString(strings.TrimSpace(content))
		if err != nil || len(data) == 0 {
			return nil, protocol.Invalid("Error: attachment %s: invalid base64 content", name)
		}
		if total += len(data); total > imageMaxBytes {
			return nil, protocol.Invalid("Error: attachment %s: exceeds size limit (%d > %d bytes)", name, total, imageMaxBytes)
		}
		if a.Type == "image" || strings.HasPrefix(mime, "image/") {
			images = append(images, Image{MimeType: mime, FileName: a.FileName, Data: data})
		}
	}
	return images, nil
}
