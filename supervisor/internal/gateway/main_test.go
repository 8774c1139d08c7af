package gateway_test

import (
	"encoding/json"
	"testing"

	"go.uber.org/goleak"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// into reads a payload.
func into[T any](tb testing.TB, f protocol.Incoming) T {
	tb.Helper()
	if f.Error != nil {
		tb.Fatalf("got error %s %q", f.Error.Code, f.Error.Message)
	}
	var v T
	if err := json.Unmarshal(f.Payload, &v); err != nil {
		tb.Fatalf("payload %s: %v", f.Payload, err)
	}
	return v
}

// wantError checks code and text of a reply.
func wantError(tb testing.TB, f protocol.Incoming, code protocol.ErrorCode, message string) {
	tb.Helper()
	if f.OK || f.Error == nil {
		tb.Fatalf("got payload %s, want error %q", f.Payload, message)
	}
	if f.Error.Code != code || f.Error.Message != message {
		tb.Errorf("got  %s %q\nwant %s %q", f.Error.Code, f.Error.Message, code, message)
	}
}
