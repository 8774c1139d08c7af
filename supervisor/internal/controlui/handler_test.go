package controlui_test

import (
	"crypto/sha256"
	"encoding/base64"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/openclaw/openclaw-supervisor/supervisor/internal/controlui"
)

func get(t *testing.T, cfg controlui.Config, method, path string) *httptest.ResponseRecorder {
	t.Helper()
	h, err := controlui.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, path, nil))
	return w
}

func TestRoutes(t *testing.T) {
	tests := []struct {
		name, base, method, path string
		code                     int
		kind, body               string
	}{
		{"page", "", "GET", "/", 200, "text/html; charset=utf-8", "<main>"},
		{"any path is the page", "", "GET", "/chat", 200, "text/html; charset=utf-8", "<main>"},
		{"head", "", "HEAD", "/", 200, "text/html; charset=utf-8", ""},
		{"post", "", "POST", "/", 405, "text/plain; charset=utf-8", "Method Not Allowed"},
		{"ui is no path", "", "GET", "/ui", 404, "text/plain; charset=utf-8", "Not Found"},
		{"nothing below ui", "", "GET", "/ui/chat", 404, "text/plain; charset=utf-8", "Not Found"},
		{"module", "", "GET", "/assets/app.js", 200, "text/javascript; charset=utf-8", "import"},
		{"module below a page", "", "GET", "/chat/assets/app.js", 200, "text/javascript; charset=utf-8", "import"},
		{"style", "", "GET", "/assets/style.css", 200, "text/css; charset=utf-8", ":root"},
		{"missing file", "", "GET", "/assets/none.js", 404, "text/plain; charset=utf-8", "Not Found"},
		{"the folder", "", "GET", "/assets/", 404, "text/plain; charset=utf-8", "Not Found"},
		{"out of the folder", "", "GET", "/assets/..%2fhandler.go", 404, "text/plain; charset=utf-8", "Not Found"},
		{"nul", "", "GET", "/assets/app.js%00", 404, "text/plain; charset=utf-8", "Not Found"},
		{"base without slash", "/desk", "GET", "/desk?session=x", 302, "", ""},
		{"base", "/desk", "GET", "/desk/", 200, "text/html; charset=utf-8", `href="/desk/assets/style.css"`},
		{"base module", "/desk", "GET", "/desk/assets/app.js", 200, "text/javascript; charset=utf-8", "import"},
		{"beside the base", "/desk", "GET", "/", 404, "text/plain; charset=utf-8", "Not Found"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := get(t, controlui.Config{BasePath: tt.base}, tt.method, tt.path)
			if w.Code != tt.code || w.Header().Get("Content-Type") != tt.kind || !strings.Contains(w.Body.String(), tt.body) {
				t.Errorf("got  %d %q %.80q\nwant %d %q %q", w.Code, w.Header().Get("Content-Type"), w.Body, tt.code, tt.kind, tt.body)
			}
			if w.Header().Get("X-Frame-Options") != "DENY" || w.Header().Get("Content-Security-Policy") != "frame-ancestors 'none'" {
				t.Errorf("got headers %v", w.Header())
			}
			if tt.code == 302 && w.Header().Get("Location") != "/desk/?session=x" {
				t.Errorf("sent to %q", w.Header().Get("Location"))
			}
			if tt.method == "HEAD" && w.Body.Len() != 0 {
				t.Error("a body for HEAD")
			}
		})
	}
}

// The one inline script is allowed by its hash, and a name cannot break out
// of it.
func TestInlineScript(t *testing.T) {
	w := get(t, controlui.Config{Assistant: func() (string, string) { return `</script><script>alert(1)//"`, "🦞" }}, "GET", "/")
	body := w.Body.String()
	inline := regexp.MustCompile(`(?s)<script>(.*?)</script></head>`).FindStringSubmatch(body)
	if inline == nil || strings.Contains(inline[1], "alert(1)//\"") && !strings.Contains(inline[1], `\"`) {
		t.Fatalf("got %s", body)
	}
	if strings.Count(body, "<script>") != 1 {
		t.Error("the name broke out of its string")
	}
	sum := sha256.Sum256([]byte(inline[1]))
	strict := w.Header().Values("Content-Security-Policy")[1]
	if want := "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"; !strings.Contains(strict, want) {
		t.Errorf("%s does not allow %s", strict, want)
	}
	if strings.Contains(strict, "unsafe") || !strings.Contains(strict, "default-src 'none'") {
		t.Errorf("got policy %s", strict)
	}
}

// The page keeps what its policy asks of it: no HTML from strings, no inline
// handlers or styles, nothing from elsewhere, and every import is there.
func TestAssetsKeepThePolicy(t *testing.T) {
	forbidden := regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function| on[a-z]+="| style="|https?://[^w]`)
	imported := regexp.MustCompile(`from "\./([^"]+)"`)
	dir := os.DirFS("assets")
	err := fs.WalkDir(dir, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := fs.ReadFile(dir, name)
		if err != nil {
			return err
		}
		if m := forbidden.Find(raw); m != nil {
			t.Errorf("%s contains %q", name, m)
		}
		for _, m := range imported.FindAllSubmatch(raw, -1) {
			if _, err := fs.Stat(dir, string(m[1])); err != nil {
				t.Errorf("%s imports %s: %v", name, m[1], err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestFilesFromDisk(t *testing.T) {
	dir := t.TempDir()
	if _, err := controlui.New(controlui.Config{Dir: dir}); err == nil {
		t.Error("no error for a folder without a page")
	}
	if err := os.WriteFile(filepath.Join(dir, "index.html"), []byte("<head></head>mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if w := get(t, controlui.Config{Dir: dir}, http.MethodGet, "/"); !strings.Contains(w.Body.String(), "</script></head>mine") {
		t.Errorf("got %s", w.Body)
	}
}
