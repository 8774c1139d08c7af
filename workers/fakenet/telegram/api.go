package telegram

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// apiError is a refusal in the Bot API's form.
type apiError struct {
	code       int
	text       string
	retryAfter int
}

func (e *apiError) Error() string { return fmt.Sprintf("%d %s", e.code, e.text) }

func badRequest(format string, args ...any) *apiError {
	return &apiError{code: http.StatusBadRequest, text: "Bad Request: " + fmt.Sprintf(format, args...)}
}

var errUnauthorized = &apiError{code: http.StatusUnauthorized, text: "Unauthorized"}

// handler answers one method; called with mu held.
type handler func(b *Bot, p Params) (any, *apiError)

// handlers has every method but getUpdates, which waits.
func (s *Server) handlers() map[string]handler {
	return map[string]handler{
		"getMe":              func(b *Bot, _ Params) (any, *apiError) { return b.self(), nil },
		"getWebhookInfo":     getWebhookInfo,
		"deleteWebhook":      deleteWebhook,
		"setMyCommands":      setCommands,
		"deleteMyCommands":   setCommands,
		"getMyCommands":      func(b *Bot, _ Params) (any, *apiError) { return b.commands, nil },
		"getChat":            getChat,
		"sendMessage":        sendMessage,
		"sendPhoto":          sendMedia("photo"),
		"sendVideo":          sendMedia("video"),
		"sendAnimation":      sendMedia("animation"),
		"sendAudio":          sendMedia("audio"),
		"sendVoice":          sendMedia("voice"),
		"sendVideoNote":      sendMedia("video_note"),
		"sendDocument":       sendMedia("document"),
		"sendSticker":        sendMedia("sticker"),
		"sendMediaGroup":     sendMediaGroup,
		"sendChatAction":     sendChatAction,
		"editMessageText":    editMessageText,
		"deleteMessage":      deleteMessage,
		"setMessageReaction": setMessageReaction,
		"answerCallbackQuery": func(_ *Bot, p Params) (any, *apiError) {
			if p.String("callback_query_id") == "" {
				return nil, badRequest("query is too old and response timeout expired or query ID is invalid")
			}
			return true, nil
		},
		"getFile": s.getFile,
	}
}

// ServeHTTP answers /bot<token>/<method> and /file/bot<token>/<path>.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/")
	if rest, isFile := strings.CutPrefix(path, "file/bot"); isFile {
		s.serveFile(w, r, rest)
		return
	}
	rest, isBot := strings.CutPrefix(path, "bot")
	token, method, _ := strings.Cut(rest, "/")
	if !isBot || method == "" {
		writeError(w, &apiError{code: http.StatusNotFound, text: "Not Found"})
		return
	}
	p, err := readParams(r)
	if err != nil {
		writeError(w, badRequest("%v", err))
		return
	}
	s.call(w, r, token, method, p)
}

func (s *Server) call(w http.ResponseWriter, r *http.Request, token, method string, p Params) {
	s.mu.Lock()
	if s.counts == nil {
		s.counts = map[string]int{}
	}
	s.counts[method]++
	known := s.known(token)
	var b *Bot
	if known {
		b = s.bot(token)
		p.Bot = b.ID
	}
	f := s.fault(method, p)
	s.wake()
	s.mu.Unlock()
	if f == nil {
		f = &Fault{}
	} else {
		if f.Hold && !f.wait(r) || f.Delay > 0 && !pause(r, f.Delay) {
			return
		}
		if f.Status != 0 {
			if f.RawBody != "" {
				w.WriteHeader(f.Status)
				_, _ = w.Write([]byte(f.RawBody))
				return
			}
			writeError(w, &apiError{code: f.Status, text: f.Description, retryAfter: f.RetryAfter})
			return
		}
		if f.Break == BreakBefore {
			cut(w, nil)
			return
		}
	}
	if !known {
		writeError(w, errUnauthorized)
		return
	}
	result, apiErr := s.perform(r, b, method, p, f.Swallow)
	if f.HoldAnswer && !f.wait(r) {
		return
	}
	if apiErr != nil {
		writeError(w, apiErr)
		return
	}
	answer(w, result, f.Break)
}

func (s *Server) perform(r *http.Request, b *Bot, method string, p Params, swallow bool) (any, *apiError) {
	if method == "getUpdates" {
		return s.getUpdates(r, b, p)
	}
	h := s.handlers()[method]
	if h == nil {
		return nil, &apiError{code: http.StatusNotFound, text: "Not Found"}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.wake()
	before := len(b.sent)
	result, err := h(b, p)
	if swallow && len(b.sent) > before {
		b.sent = b.sent[:before]
	}
	return result, err
}

func answer(w http.ResponseWriter, result any, br Break) {
	body, err := json.Marshal(Object{"ok": true, "result": result})
	if err != nil {
		panic(fmt.Sprintf("fake telegram: %v", err))
	}
	switch br {
	case BreakAfter, BreakBefore:
		cut(w, nil)
		return
	case BreakWithin:
		head := fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", len(body))
		cut(w, append([]byte(head), body[:len(body)/2]...))
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(body)
}

func writeError(w http.ResponseWriter, e *apiError) {
	body := Object{"ok": false, "error_code": e.code, "description": e.text}
	if e.retryAfter > 0 {
		body["parameters"] = Object{"retry_after": e.retryAfter}
	}
	raw, _ := json.Marshal(body)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(e.code)
	_, _ = w.Write(raw)
}
