package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"syscall"

	"github.com/openclaw/openclaw-supervisor/supervisor/internal/config"
)

// openListeners binds the control plane's port. The first address must be bindable, the
// others are tried. Port 0, which only tests ask for, is the same free port on all.
func openListeners(ctx context.Context, l config.Listen, log *slog.Logger) ([]net.Listener, error) {
	hosts, err := l.Hosts(interfaceAddresses())
	if err != nil {
		return nil, err
	}
	var out []net.Listener
	port := l.Port
	for i, host := range hosts {
		addr := net.JoinHostPort(host, strconv.Itoa(port))
		lis, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
		if err != nil {
			if i > 0 {
				log.Warn("a further address could not be bound", "address", addr, "error", err)
				continue
			}
			if errors.Is(err, syscall.EADDRINUSE) {
				return nil, fmt.Errorf("another gateway instance is already listening on ws://%s", addr)
			}
			return nil, fmt.Errorf("failed to bind gateway socket on ws://%s: %w", addr, err)
		}
		if tcp, ok := lis.Addr().(*net.TCPAddr); ok {
			port = tcp.Port
		}
		out = append(out, lis)
	}
	return out, nil
}

func interfaceAddresses() []netip.Addr {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	var out []netip.Addr
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok {
			if ip, ok := netip.AddrFromSlice(n.IP); ok {
				out = append(out, ip)
			}
		}
	}
	return out
}
