package access

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
)

// Peer is what is known of the other end before it says anything.
type Peer struct {
	// Addr is the client's address: the socket's, or what a trusted proxy
	// says.
	Addr netip.Addr
	// Host and Origin are the request's headers, as sent.
	Host, Origin string
	// HasOrigin tells an empty Origin from none.
	HasOrigin bool
	// Forwarded says that a proxy that nobody vouched for added headers.
	Forwarded bool
	// Proxied says that a trusted proxy stands between.
	Proxied bool

	local netip.Addr // our own end of the socket
}

var forwardHeaders = []string{"X-Forwarded-For", "X-Real-Ip", "X-Forwarded-Host"}

// NewPeer reads a request. Addresses of trusted are proxies whose headers are
// believed.
func NewPeer(r *http.Request, trusted []netip.Addr) Peer {
	p := Peer{Host: r.Host, Addr: parseAddr(r.RemoteAddr)}
	if v, ok := r.Header["Origin"]; ok {
		p.HasOrigin = true
		p.Origin = strings.Join(v, ",")
	}
	if a, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
		p.local = parseAddr(a.String())
	}
	has := slices.ContainsFunc(forwardHeaders, func(h string) bool { return r.Header.Get(h) != "" })
	switch {
	case !has:
	case slices.Contains(trusted, p.Addr):
		p.Proxied = true
		first, _, _ := strings.Cut(r.Header.Get("X-Forwarded-For"), ",")
		if first == "" {
			first = r.Header.Get("X-Real-Ip")
		}
		if a, err := netip.ParseAddr(strings.TrimSpace(first)); err == nil {
			p.Addr = a.Unmap()
		}
	default:
		p.Forwarded = true
	}
	return p
}

func parseAddr(hostport string) netip.Addr {
	if ap, err := netip.ParseAddrPort(hostport); err == nil {
		return ap.Addr().Unmap().WithZone("")
	}
	a, _ := netip.ParseAddr(hostport)
	return a.Unmap().WithZone("")
}

// hostName takes the port and the brackets off a Host header.
func hostName(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

func isLoopbackName(name string) bool {
	if name == "localhost" {
		return true
	}
	a, err := netip.ParseAddr(name)
	return err == nil && a.Unmap().IsLoopback()
}

func isTailnetName(name string) bool { return strings.HasSuffix(name, ".ts.net") }

var tailnets = []netip.Prefix{netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("fd7a:115c:a1e0::/48")}

func isTailnet(a netip.Addr) bool {
	return slices.ContainsFunc(tailnets, func(p netip.Prefix) bool { return p.Contains(a) })
}

// LocalDirect says that the peer is a program on this host that spoke to this
// host by name, without a stranger in between.
func (p Peer) LocalDirect() bool {
	if p.Forwarded {
		return false
	}
	name := hostName(p.Host)
	if p.Addr.IsLoopback() {
		return isLoopbackName(name) || isTailnetName(name)
	}
	// A program of this host that came by way of the host's own tailnet
	// address.
	if p.Addr.IsValid() && p.Addr == p.local && isTailnet(p.Addr) {
		a, err := netip.ParseAddr(name)
		return isTailnetName(name) || err == nil && a == p.Addr
	}
	return false
}

// KnowsHost says whether the Host header names this gateway: a loopback or
// tailnet name, the address the socket is bound to, this machine's name, or
// the host of an allowed origin. A trusted proxy may use any name. Anything
// else is a page that made a name of its own point here.
func (p Peer) KnowsHost(allowed []string) bool {
	name := hostName(p.Host)
	if p.Proxied || isLoopbackName(name) || isTailnetName(name) {
		return true
	}
	if a, err := netip.ParseAddr(name); err == nil {
		return a.Unmap() == p.local
	}
	if machine, err := os.Hostname(); err == nil && machine != "" {
		machine = strings.ToLower(machine)
		if name == machine || name == machine+".local" {
			return true
		}
	}
	return slices.ContainsFunc(allowed, func(o string) bool {
		u, err := url.Parse(o)
		return err == nil && u.Hostname() != "" && strings.EqualFold(u.Hostname(), name)
	})
}

// OriginAllowed says whether a page of this origin may speak: the gateway's
// own, a loopback one where the gateway is called by a loopback name too, or
// one of allowed.
func (p Peer) OriginAllowed(allowed []string) bool {
	origin := strings.TrimSpace(p.Origin)
	if origin == "" || origin == "null" {
		return false
	}
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return false
	}
	if strings.EqualFold(u.Host, p.Host) && p.KnowsHost(allowed) {
		return true
	}
	if isLoopbackName(strings.ToLower(u.Hostname())) && isLoopbackName(hostName(p.Host)) {
		return true
	}
	return slices.ContainsFunc(allowed, func(o string) bool { return strings.EqualFold(strings.TrimRight(o, "/"), origin) })
}
