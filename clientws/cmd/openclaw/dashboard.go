package main

import (
	"context"
	"errors"
	"net/url"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
)

// dashboardCmd is `openclaw dashboard`.
type dashboardCmd struct {
	NoOpen  bool `help:"Only print the link."`
	Timeout int  `help:"How long to wait, in milliseconds." default:"10000"`
	rpc
}

// Run prints a link with a ticket that is good once. The shared token is never in it.
func (c *dashboardCmd) Run(t *tool) error {
	if _, err := t.guarded(); err != nil {
		return err
	}
	found, err := t.resolve(c.rpc)
	if err != nil {
		return err
	}
	page, err := pageURL(found.url)
	if err != nil {
		return err
	}
	var ticket protocol.DashboardTicket
	if err := t.call(c.rpc, millis(c.Timeout), protocol.MethodDashboardTicket, nil, &ticket); err != nil {
		if unreachable(err) {
			t.print("Dashboard URL: %s", page)
		}
		return err
	}
	link := page + "#token=" + url.PathEscape(ticket.Ticket)
	if c.JSON {
		return t.json(map[string]any{"url": link, "expiresAtMs": ticket.ExpiresAtMS})
	}
	t.print("Dashboard URL: %s", link)
	t.note("The link opens the page once, within two minutes.")
	if c.NoOpen || !t.opens() {
		return nil
	}
	if err := open(t.ctx, link); err != nil {
		t.note("No browser could be opened (%v); copy the link.", err)
	}
	return nil
}

// pageURL is the page of a gateway: its WebSocket address as http.
func pageURL(gateway string) (string, error) {
	u, err := url.Parse(gateway)
	if err != nil || u.Host == "" {
		return "", fail("use ws://host:port or wss://host:port", "%q is no gateway address", gateway)
	}
	u.Scheme = strings.Replace(u.Scheme, "ws", "http", 1)
	u.Path = strings.TrimRight(u.Path, "/") + "/"
	return u.String(), nil
}

// opens tells whether a person sits before a screen.
func (t *tool) opens() bool {
	file, ok := t.out.(*os.File)
	if !ok || !isTerminal(file) {
		return false
	}
	return runtime.GOOS != "linux" || t.env.Get("DISPLAY") != "" || t.env.Get("WAYLAND_DISPLAY") != ""
}

func open(ctx context.Context, link string) error {
	var command *exec.Cmd
	switch runtime.GOOS {
	case "darwin":
		command = exec.CommandContext(ctx, "open", link)
	case "linux":
		command = exec.CommandContext(ctx, "xdg-open", link)
	default:
		return errors.New("not known how on " + runtime.GOOS)
	}
	// The link holds the ticket; it is seen by other users for as long as the opener runs, and is void after the first use.
	return command.Run()
}
