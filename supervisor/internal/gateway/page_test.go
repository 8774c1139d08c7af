package gateway_test

import (
	"net/http"
	"testing"

	"github.com/openclaw/openclaw-supervisor/supervisor/internal/controlui"
)

// page is the real page.
func page(tb testing.TB) http.Handler {
	tb.Helper()
	h, err := controlui.New(controlui.Config{})
	if err != nil {
		tb.Fatal(err)
	}
	return h
}
