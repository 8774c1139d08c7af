package access

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
)

// peerOf makes a peer from what a test row says.
func peerOf(remote, local, host string, header map[string]string, trusted ...string) Peer {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.RemoteAddr, r.Host = remote, host
	for k, v := range header {
		r.Header.Set(k, v)
	}
	if local != "" {
		addr := net.TCPAddrFromAddrPort(netip.MustParseAddrPort(local))
		r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, net.Addr(addr)))
	}
	var list []netip.Addr
	for _, t := range trusted {
		list = append(list, netip.MustParseAddr(t))
	}
	return NewPeer(r, list)
}

func TestLocalDirect(t *testing.T) {
	forwarded := map[string]string{"X-Forwarded-For": "192.0.2.9"}
	tests := []struct {
		name string
		peer Peer
		want bool
	}{
		{"loopback", peerOf("127.0.0.1:9", "", "127.0.0.1:18789", nil), true},
		{"by name", peerOf("127.0.0.1:9", "", "localhost:18789", nil), true},
		{"six", peerOf("[::1]:9", "", "[::1]:18789", nil), true},
		{"mapped", peerOf("[::ffff:127.0.0.1]:9", "", "localhost", nil), true},
		{"tailnet name", peerOf("127.0.0.1:9", "", "box.tail1.ts.net", nil), true},
		{"foreign name", peerOf("127.0.0.1:9", "", "evil.example", nil), false},
		{"a name that begins so", peerOf("127.0.0.1:9", "", "localhost.evil.example", nil), false},
		{"remote", peerOf("192.0.2.7:9", "", "localhost", nil), false},
		{"strange proxy", peerOf("127.0.0.1:9", "", "localhost", forwarded), false},
		{"trusted proxy, remote client", peerOf("127.0.0.1:9", "", "localhost", forwarded, "127.0.0.1"), false},
		{"trusted proxy, local client", peerOf("127.0.0.1:9", "", "localhost", map[string]string{"X-Real-Ip": "127.0.0.1"}, "127.0.0.1"), true},
		{"own tailnet address", peerOf("100.64.1.2:9", "100.64.1.2:18789", "100.64.1.2:18789", nil), true},
		{"other tailnet address", peerOf("100.64.1.3:9", "100.64.1.2:18789", "100.64.1.2:18789", nil), false},
		{"own lan address", peerOf("192.168.1.2:9", "192.168.1.2:18789", "192.168.1.2:18789", nil), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.peer.LocalDirect(); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestOriginAllowed(t *testing.T) {
	allowed := []string{"https://desk.example", "http://dev.example:5173/"}
	tests := []struct {
		name, host, origin string
		want               bool
	}{
		{"own", "127.0.0.1:18789", "http://127.0.0.1:18789", true},
		{"other loopback", "127.0.0.1:18789", "http://localhost:5173", true},
		{"tailnet", "box.ts.net", "https://box.ts.net", true},
		{"foreign", "127.0.0.1:18789", "https://evil.example", false},
		{"rebound name", "evil.example:18789", "http://evil.example:18789", false},
		{"null", "127.0.0.1:18789", "null", false},
		{"none", "127.0.0.1:18789", "", false},
		{"file", "127.0.0.1:18789", "file://localhost", false},
		{"allowed", "127.0.0.1:18789", "https://desk.example", true},
		{"allowed with port", "127.0.0.1:18789", "http://dev.example:5173", true},
		{"allowed name, other scheme", "127.0.0.1:18789", "http://desk.example", false},
		{"loopback page, public gateway", "box.ts.net", "http://localhost:5173", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := peerOf("127.0.0.1:9", "127.0.0.1:18789", tt.host, map[string]string{"Origin": tt.origin})
			if got := p.OriginAllowed(allowed); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestAllows(t *testing.T) {
	all := []protocol.Scope{protocol.ScopeRead, protocol.ScopeWrite, protocol.ScopeApprovals, protocol.ScopePairing, protocol.ScopeAdmin, protocol.ScopeAgent}
	want := map[protocol.Scope]string{ // what each scope covers, in the order of all
		protocol.ScopeRead:      "100000",
		protocol.ScopeWrite:     "110000",
		protocol.ScopeApprovals: "001000",
		protocol.ScopePairing:   "000100",
		protocol.ScopeAdmin:     "111110",
		protocol.ScopeAgent:     "000001",
	}
	for held, row := range want {
		for i, need := range all {
			if got := Allows([]protocol.Scope{held}, need); got != (row[i] == '1') {
				t.Errorf("%s allows %s: %v", held, need, got)
			}
		}
	}
}

func TestThrottleForgetsAddresses(t *testing.T) {
	th := newThrottle()
	start := netip.MustParseAddr("10.0.0.0")
	now := parseTime()
	for range 2 * maxAddresses {
		th.fail(start, now)
		start = start.Next()
	}
	if len(th.failures) > maxAddresses {
		t.Errorf("%d addresses are remembered", len(th.failures))
	}
}

func TestDelayGrows(t *testing.T) {
	th, a, now := newThrottle(), netip.MustParseAddr("127.0.0.1"), parseTime()
	last := firstDelay - 1
	for i := 1; i < FailuresBeforeLockout; i++ {
		d := th.fail(a, now)
		switch {
		case i <= FailuresBeforeDelay && d != 0:
			t.Errorf("failure %d is delayed by %v", i, d)
		case i > FailuresBeforeDelay && (d < last || d > maxDelay):
			t.Errorf("failure %d is delayed by %v after %v", i, d, last)
		}
		if d > 0 {
			last = d
		}
	}
}

func parseTime() time.Time { return time.UnixMilli(1_800_000_000_000) }
