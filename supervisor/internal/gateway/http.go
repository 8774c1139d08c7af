package gateway

import (
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"strings"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/openclaw/openclaw-supervisor/supervisor/internal/access"
)

// Handler serves everything on the control plane's port. Serve uses it; it is
// exported for listeners that belong to somebody else, whose http.Server must
// then carry the socket in its ConnContext for WebSockets to work.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", s.live)
	mux.HandleFunc("/readyz", s.ready)
	mux.Handle("/metrics", s.metricsHandler())
	mux.HandleFunc("/avatar/{agent}", s.avatar)
	mux.HandleFunc("/", s.page)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if p := recover(); p != nil {
				if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
					panic(p)
				}
				s.log.Error("http handler panicked", "path", r.URL.Path, "panic", p, "stack", stack())
				http.Error(w, "Internal Server Error", http.StatusInternalServerError)
			}
		}()
		peer := s.cfg.Guard.Peer(r)
		if !s.permit(w, r, peer) {
			return
		}
		if isUpgrade(r) {
			s.upgrade(w, r, peer)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// permit is the one place that judges Host, Origin and method, before any
// route is looked at. Programs may upgrade under any Host: they count as
// remote then, and prove themselves in the handshake. A browser that shows an
// Origin may do nothing under a Host that is not ours.
func (s *Server) permit(w http.ResponseWriter, r *http.Request, peer access.Peer) bool {
	known := s.cfg.Guard.HostKnown(peer)
	if isUpgrade(r) {
		if peer.HasOrigin && !known {
			http.Error(w, "Forbidden", http.StatusForbidden)
			return false
		}
		return true
	}
	if !known || !s.cfg.Guard.OriginAllowed(peer) {
		http.Error(w, "Forbidden", http.StatusForbidden)
		return false
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		plain(w, http.StatusMethodNotAllowed, "Method Not Allowed")
		return false
	}
	return true
}

func isUpgrade(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
}

// plain answers with a text that has no newline at its end.
func plain(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(code)
	_, _ = w.Write([]byte(text))
}

func writeJSON(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(v)
}

func (s *Server) live(w http.ResponseWriter, r *http.Request) {
	writeJSON(w, http.StatusOK, struct {
		OK     bool   `json:"ok"`
		Status string `json:"status"`
	}{true, "live"})
}

func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	reasons := []string{}
	if s.closing.Load() {
		reasons = append(reasons, "gateway is stopping")
	} else if s.cfg.Ready != nil {
		reasons = append(reasons, s.cfg.Ready()...)
	}
	code, status := http.StatusOK, "ready"
	if len(reasons) > 0 {
		code, status = http.StatusServiceUnavailable, "not ready"
	}
	writeJSON(w, code, struct {
		OK      bool     `json:"ok"`
		Status  string   `json:"status"`
		Reasons []string `json:"reasons"`
	}{len(reasons) == 0, status, reasons})
}

// metricsHandler shows metrics to programs on this host, and to others with
// the shared secret.
func (s *Server) metricsHandler() http.Handler {
	if s.cfg.Gatherer == nil {
		return http.NotFoundHandler()
	}
	show := promhttp.HandlerFor(s.cfg.Gatherer, promhttp.HandlerOpts{})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.cfg.Guard.Peer(r).LocalDirect() && !s.cfg.Guard.Bearer(r) {
			writeJSON(w, http.StatusUnauthorized, map[string]any{"error": map[string]string{"message": "Unauthorized", "type": "unauthorized"}})
			return
		}
		show.ServeHTTP(w, r)
	})
}

var agentID = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`)

func (s *Server) avatar(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("agent")
	if !agentID.MatchString(id) {
		plain(w, http.StatusNotFound, "Not Found")
		return
	}
	var file, url string
	if s.cfg.Backends.Avatars != nil {
		file, url = s.cfg.Backends.Avatars.Avatar(id)
	}
	if r.URL.Query().Get("meta") == "1" {
		var shown *string
		switch {
		case url != "":
			shown = &url
		case file != "":
			local := "/avatar/" + id
			shown = &local
		}
		writeJSON(w, http.StatusOK, map[string]*string{"avatarUrl": shown})
		return
	}
	if file == "" {
		plain(w, http.StatusNotFound, "Not Found")
		return
	}
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; sandbox")
	http.ServeFile(w, r, file)
}

func (s *Server) page(w http.ResponseWriter, r *http.Request) {
	if s.cfg.Page == nil {
		plain(w, http.StatusNotFound, "Not Found")
		return
	}
	s.cfg.Page.ServeHTTP(w, r)
}
