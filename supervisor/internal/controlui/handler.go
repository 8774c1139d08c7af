// Package controlui serves the page at /: what runs, how to talk to it, and a
// chat box. The page is embedded, plain HTML, CSS and ES modules, and speaks
// to the gateway over the same WebSocket as every other client.
//
// The package owns the files and their headers. It knows no secret, keeps no
// state and never looks at a query: the page takes a single-use ticket from
// the fragment of its address, which browsers do not send.
package controlui

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path"
	"strings"
)

//go:embed assets
var embedded embed.FS

// Config is what the page needs. Zero fields take the default.
type Config struct {
	// BasePath is where the page lives: empty, or "/x" without a slash at its
	// end.
	BasePath string
	// Assistant gives the name and avatar of the default agent: "Assistant"
	// and "A" where they are empty.
	Assistant func() (name, avatar string)
	// Dir serves the files from there instead of the embedded ones.
	Dir string
}

// Handler serves the page. It may be used from several goroutines.
type Handler struct {
	cfg   Config
	files fs.FS
}

var _ http.Handler = (*Handler)(nil)

// New makes a handler. A Dir without an index.html is an error.
func New(cfg Config) (*Handler, error) {
	if cfg.Assistant == nil {
		cfg.Assistant = func() (string, string) { return "", "" }
	}
	files, err := fs.Sub(embedded, "assets")
	if err != nil {
		return nil, fmt.Errorf("open embedded page: %w", err)
	}
	if cfg.Dir != "" {
		files = os.DirFS(cfg.Dir)
	}
	if _, err := fs.Stat(files, "index.html"); err != nil {
		return nil, fmt.Errorf("open page: %w", err)
	}
	return &Handler{cfg: cfg, files: files}, nil
}

// policy is what the page may do: load its own files, and speak to its own
// host. %s is the hash of the one inline script.
const policy = "default-src 'none'; script-src 'self' '%s'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'"

// ServeHTTP serves a file, or the page for every other path.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	head := w.Header()
	head.Set("X-Frame-Options", "DENY")
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("Referrer-Policy", "no-referrer")
	head.Set("Cross-Origin-Opener-Policy", "same-origin")
	head.Set("Content-Security-Policy", "frame-ancestors 'none'")
	head.Set("Cache-Control", "no-cache")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		head.Set("Allow", "GET, HEAD")
		text(w, http.StatusMethodNotAllowed, "Method Not Allowed")
		return
	}
	name, found := h.resolve(w, r)
	switch {
	case !found:
	case name == "index.html":
		h.index(w, r)
	default:
		h.file(w, r, name)
	}
}

// resolve finds the file for a path. Where it says false it has answered.
func (h *Handler) resolve(w http.ResponseWriter, r *http.Request) (string, bool) {
	p := r.URL.Path
	if base := h.cfg.BasePath; base != "" {
		if p == base {
			target := base + "/"
			if r.URL.RawQuery != "" {
				target += "?" + r.URL.RawQuery
			}
			w.Header().Set("Location", target)
			w.WriteHeader(http.StatusFound)
			return "", false
		}
		rest, ok := strings.CutPrefix(p, base+"/")
		if !ok {
			text(w, http.StatusNotFound, "Not Found")
			return "", false
		}
		p = "/" + rest
	} else if p == "/ui" || strings.HasPrefix(p, "/ui/") {
		text(w, http.StatusNotFound, "Not Found")
		return "", false
	}
	if strings.Contains(p, "\x00") || strings.Contains(p, "..") || strings.Contains(p, `\`) {
		text(w, http.StatusNotFound, "Not Found")
		return "", false
	}
	if i := strings.LastIndex(p, "/assets/"); i >= 0 {
		name := p[i+len("/assets/"):]
		if !fs.ValidPath(name) || name == "index.html" || !h.has(name) {
			text(w, http.StatusNotFound, "Not Found")
			return "", false
		}
		return name, true
	}
	return "index.html", true
}

func (h *Handler) has(name string) bool {
	info, err := fs.Stat(h.files, name)
	return err == nil && info.Mode().IsRegular()
}

// index writes the page with its values in one script before </head>.
func (h *Handler) index(w http.ResponseWriter, r *http.Request) {
	page, err := fs.ReadFile(h.files, "index.html")
	if err != nil {
		text(w, http.StatusServiceUnavailable, "Control UI is missing: "+err.Error())
		return
	}
	name, avatar := h.cfg.Assistant()
	if name == "" {
		name = "Assistant"
	}
	if avatar == "" {
		avatar = "A"
	}
	script := fmt.Sprintf("window.__OPENCLAW_CONTROL_UI_BASE_PATH__=%s;window.__OPENCLAW_ASSISTANT_NAME__=%s;window.__OPENCLAW_ASSISTANT_AVATAR__=%s;",
		literal(h.cfg.BasePath), literal(name), literal(avatar))
	sum := sha256.Sum256([]byte(script))
	w.Header().Add("Content-Security-Policy", fmt.Sprintf(policy, "sha256-"+base64.StdEncoding.EncodeToString(sum[:])))
	page = bytes.ReplaceAll(page, []byte("{{base}}"), []byte(h.cfg.BasePath))
	page = bytes.Replace(page, []byte("</head>"), []byte("<script>"+script+"</script></head>"), 1)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Length", fmt.Sprint(len(page)))
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodGet {
		_, _ = w.Write(page)
	}
}

// literal writes a string for use in a script inside HTML: < > and & are
// escaped.
func literal(s string) string {
	b, _ := json.Marshal(s) // a string always marshals
	return string(b)
}

var types = map[string]string{
	".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
	".json": "application/json; charset=utf-8", ".map": "application/json; charset=utf-8", ".svg": "image/svg+xml", ".png": "image/png",
	".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif", ".webp": "image/webp", ".ico": "image/x-icon",
	".txt": "text/plain; charset=utf-8",
}

func (h *Handler) file(w http.ResponseWriter, r *http.Request, name string) {
	data, err := fs.ReadFile(h.files, name)
	if err != nil {
		text(w, http.StatusNotFound, "Not Found")
		return
	}
	kind := types[path.Ext(name)]
	if kind == "" {
		kind = "application/octet-stream"
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Length", fmt.Sprint(len(data)))
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodGet {
		_, _ = w.Write(data)
	}
}

func text(w http.ResponseWriter, code int, s string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	_, _ = w.Write([]byte(s))
}
