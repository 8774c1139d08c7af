package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
)

// sessionsCmd is `openclaw sessions`.
type sessionsCmd struct {
	Active  int    `help:"Only conversations used in the last N minutes." placeholder:"N"`
	Store   string `help:"Read this sessions.json instead of asking the gateway." type:"path" placeholder:"FILE"`
	Verbose bool   `help:"Also show the session ids."`
	Timeout int    `help:"How long to wait, in milliseconds." default:"10000"`
	rpc
}

// Run lists the conversations: from the gateway, or while none runs from the mirror files.
func (c *sessionsCmd) Run(t *tool) error {
	if _, err := t.guarded(); err != nil {
		return err
	}
	result, err := c.ask(t)
	if err != nil {
		return err
	}
	if c.JSON {
		return t.json(result)
	}
	t.print("Session store: %s", result.Path)
	t.print("Sessions listed: %d", len(result.Sessions))
	if len(result.Sessions) > 0 {
		t.print("")
		t.sessionTable(result.Sessions)
		if c.Verbose {
			for _, row := range result.Sessions {
				t.print("%s  %s", row.Key, orDash(row.SessionID))
			}
		}
	}
	return nil
}

func (c *sessionsCmd) ask(t *tool) (protocol.SessionsListResult, error) {
	var result protocol.SessionsListResult
	if c.Store != "" {
		return c.fromFiles(c.Store)
	}
	params := protocol.SessionsListParams{ActiveMinutes: c.Active, IncludeGlobal: true, IncludeUnknown: true}
	err := t.call(c.rpc, millis(c.Timeout), protocol.MethodSessionsList, params, &result)
	if err == nil || !unreachable(err) {
		return result, err
	}
	files, globErr := filepath.Glob(t.paths.SessionsDir("*") + "/sessions.json")
	if globErr != nil || len(files) == 0 {
		return protocol.SessionsListResult{TS: time.Now().UnixMilli(), Path: t.paths.SessionsDir("main"), Sessions: []protocol.SessionRow{}}, nil //nolint:nilerr // without a gateway and without files there are no sessions
	}
	return c.fromFiles(files...)
}

// fromFiles reads the mirrors that the supervisor writes.
func (c *sessionsCmd) fromFiles(files ...string) (protocol.SessionsListResult, error) {
	result := protocol.SessionsListResult{TS: time.Now().UnixMilli(), Path: files[0], Sessions: []protocol.SessionRow{}}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) {
			return result, fail("", "there is no session store %s", file)
		}
		if err != nil {
			return result, err
		}
		entries := map[string]protocol.SessionRow{}
		if err := json.Unmarshal(data, &entries); err != nil {
			return result, fail("start the gateway, it writes the file anew", "the session store %s cannot be read: %v", file, err)
		}
		for key, row := range entries {
			row.Key = key
			if c.Active > 0 && time.Since(time.UnixMilli(row.UpdatedAt)) > time.Duration(c.Active)*time.Minute {
				continue
			}
			result.Sessions = append(result.Sessions, row)
		}
	}
	slices.SortFunc(result.Sessions, func(a, b protocol.SessionRow) int { return int(b.UpdatedAt - a.UpdatedAt) })
	result.Count = len(result.Sessions)
	return result, nil
}

func (t *tool) sessionTable(rows []protocol.SessionRow) {
	cells := make([][]string, len(rows))
	for i, row := range rows {
		tokens := "-"
		switch {
		case row.TotalTokens > 0 && row.ContextTokens > 0:
			tokens = fmt.Sprintf("%d/%d", row.TotalTokens, row.ContextTokens)
		case row.TotalTokens > 0:
			tokens = fmt.Sprint(row.TotalTokens)
		}
		cells[i] = []string{row.Key, orDash(row.Kind), ago(row.UpdatedAt), orDash(row.Model), tokens}
	}
	t.table([]string{"Key", "Kind", "Age", "Model", "Tokens"}, cells)
}
