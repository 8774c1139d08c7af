package model

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxBody bounds a request in bytes.
const maxBody = 32 << 20

type reader func(body []byte) (Request, error)

type writer func(w http.ResponseWriter, r *http.Request, q Request, a Answer) bool

func (s *Server) serve(api string, read reader, write writer) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil {
			writeFailure(w, http.StatusBadRequest, err.Error())
			return
		}
		q, err := read(body)
		q.Body, q.Header = body, r.Header.Clone()
		if err != nil {
			writeFailure(w, http.StatusBadRequest, err.Error())
			return
		}
		q.API, q.At = api, time.Now()
		q.Key = strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		if k := r.Header.Get("X-Api-Key"); k != "" {
			q.Key = k
		}
		s.mu.Lock()
		q.N = len(s.requests) + 1
		s.requests = append(s.requests, q)
		f := s.fault(q)
		s.wake()
		s.mu.Unlock()
		if s.Key != "" && q.Key != s.Key {
			writeFailure(w, http.StatusUnauthorized, "invalid API key")
			return
		}
		if f != nil {
			if f.Hold && !f.wait(r) {
				return
			}
			if f.Status != 0 {
				if f.RetryAfter > 0 {
					w.Header().Set("Retry-After", strconv.Itoa(f.RetryAfter))
				}
				writeFailure(w, f.Status, fmt.Sprintf("injected failure %d", f.Status))
				return
			}
			if f.StallAfter != 0 || f.CutAfter != 0 {
				w = &faultyWriter{ResponseWriter: w, r: r, f: f}
			}
		}
		a, chosen := Answer{}, false
		if s.Answer != nil {
			a, chosen = s.Answer(q)
		}
		if !chosen {
			a = Script(q)
		}
		if a.Gap == 0 {
			a.Gap = s.Gap
		}
		if a.Status != 0 {
			writeFailure(w, a.Status, fmt.Sprintf("scripted failure %d", a.Status))
			return
		}
		if write(w, r, q, a) {
			s.mu.Lock()
			s.requests[q.N-1].Finished = true
			s.wake()
			s.mu.Unlock()
		}
	}
}

func writeFailure(w http.ResponseWriter, status int, text string) {
	writeJSON(w, status, object{"type": "error", "error": object{"type": "api_error", "message": text, "code": strconv.Itoa(status)}})
}

// stream starts an event stream; emit writes one event.
func stream(w http.ResponseWriter) (emit func(event string, v any)) {
	w.Header().Set("Content-Type", "text/event-stream")
	return func(event string, v any) {
		if event != "" {
			_, _ = fmt.Fprintf(w, "event: %s\n", event)
		}
		data, isText := v.(string)
		if !isText {
			raw, _ := json.Marshal(v)
			data = string(raw)
		}
		_, _ = fmt.Fprintf(w, "data: %s\n\n", data)
		if f, ok := w.(http.Flusher); ok {
			f.Flush()
		}
	}
}

// pause waits between two parts; false = the client has gone.
func pause(r *http.Request, d time.Duration) bool {
	if d <= 0 {
		return r.Context().Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-r.Context().Done():
		return false
	case <-t.C:
		return true
	}
}
