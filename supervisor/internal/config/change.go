package config

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/openclaw/openclaw-supervisor/clientws/json5"
)

// Change is what lies between two revisions.
type Change struct {
	// From is what ran, To what runs now. They are the same where a change waits for a restart (reload.mode off).
	From, To *Snapshot
	// Paths are the changed keys, sorted; a list is one key. Classes gives the class of each.
	Paths   []string
	Classes map[string]Class
	// Accounts are the accounts that appear, go, or need to be stopped and started.
	Accounts []AccountChange
	// Workers are the workers whose process must be started anew.
	Workers []string
	// Plugins: the plugin directories are to be looked at again.
	Plugins bool
	// Listener: the control plane's socket is to be opened anew.
	Listener bool
	// Waiting are the keys that are in force only after the supervisor's next start.
	Waiting []string
}

// Empty tells that nothing changed.
func (c Change) Empty() bool { return len(c.Paths) == 0 && len(c.Accounts) == 0 }

// Applied lists the changed keys that are in force without a restart of the supervisor.
func (c Change) Applied() []string {
	var out []string
	for _, path := range c.Paths {
		if !slices.Contains(c.Waiting, path) {
			out = append(out, path)
		}
	}
	return out
}

// AccountKind is what becomes of an account.
type AccountKind string

// The kinds of an account's change.
const (
	// AccountAdded: it is new, or enabled again.
	AccountAdded AccountKind = "added"
	// AccountRemoved: it is gone from the file; what is queued for it is dropped.
	AccountRemoved AccountKind = "removed"
	// AccountDisabled: it is still in the file, but turned off.
	AccountDisabled AccountKind = "disabled"
	// AccountChanged: it must be stopped and started.
	AccountChanged AccountKind = "changed"
)

// AccountChange names an account that a change touches.
type AccountChange struct {
	Channel, Account string
	Kind             AccountKind
}

// changeBetween works out what a new revision touches.
func changeBetween(from, to *Snapshot) Change {
	c := Change{From: from, To: to, Classes: map[string]Class{}}
	diff(nil, from.Tree, to.Tree, &c.Paths)
	slices.Sort(c.Paths)
	for _, path := range c.Paths {
		class, _ := Classify(path)
		c.Classes[path] = class
		steps, err := json5.ParsePath(path)
		if err != nil || len(steps) == 0 {
			continue
		}
		switch class {
		case ClassListener:
			c.Listener = true
		case ClassSupervisor:
			c.Waiting = append(c.Waiting, path)
		case ClassProcess:
			c.Workers = append(c.Workers, workerOf(steps)...)
		}
		if steps[0] == "plugins" {
			c.Plugins = true
		}
	}
	slices.Sort(c.Workers)
	c.Workers = slices.Compact(c.Workers)
	c.Accounts = accountChanges(from, to)
	return c
}

// workerOf names the worker that a key of class process is about.
func workerOf(steps json5.Path) []string {
	switch {
	case steps[0] == "channels" && len(steps) > 1:
		return []string{steps[1]}
	case len(steps) > 2 && steps[0] == "supervisor" && steps[1] == "limits":
		return []string{steps[2]}
	}
	return nil
}

// diff lists the leaves in which two trees differ; a list, and an empty object, is a leaf.
func diff(at json5.Path, a, b any, out *[]string) {
	x, isX := a.(map[string]any)
	y, isY := b.(map[string]any)
	if !isX && !isY {
		if !json5.Equal(a, b) {
			*out = append(*out, at.String())
		}
		return
	}
	if (isX && len(x) == 0 && b == nil) || (isY && len(y) == 0 && a == nil) || (isX != isY && a != nil && b != nil) {
		*out = append(*out, at.String())
		return
	}
	keys := map[string]bool{}
	for key := range x {
		keys[key] = true
	}
	for key := range y {
		keys[key] = true
	}
	for key := range keys {
		diff(at.Join(key), x[key], y[key], out)
	}
}

type accountKey struct{ channel, account string }

// accountChanges compares the finished accounts, so that a changed token file or variable counts as well as a key.
func accountChanges(from, to *Snapshot) []AccountChange {
	before, after := accountsOf(from), accountsOf(to)
	var out []AccountChange
	add := func(key accountKey, kind AccountKind) {
		out = append(out, AccountChange{Channel: key.channel, Account: key.account, Kind: kind})
	}
	for key, old := range before {
		now, still := after[key]
		switch {
		case !still:
			add(key, AccountRemoved)
		case old.Enabled && !now.Enabled:
			add(key, AccountDisabled)
		case !old.Enabled && now.Enabled:
			add(key, AccountAdded)
		case now.Enabled && !sameConnection(from, to, key.channel, old, now):
			add(key, AccountChanged)
		}
	}
	for key, now := range after {
		if _, known := before[key]; !known && now.Enabled {
			add(key, AccountAdded)
		}
	}
	slices.SortFunc(out, func(a, b AccountChange) int {
		return slices.Compare([]string{a.Channel, a.Account}, []string{b.Channel, b.Account})
	})
	return out
}

func accountsOf(s *Snapshot) map[accountKey]Account {
	out := map[accountKey]Account{}
	for _, id := range s.ChannelIDs() {
		channel, _ := s.ChannelBlock(id)
		for _, account := range channel.Accounts {
			out[accountKey{id, account.ID}] = account
		}
	}
	return out
}

// sameConnection tells whether what an account's connection depends on is the same in both revisions.
func sameConnection(from, to *Snapshot, channel string, a, b Account) bool {
	if channel == "whatsapp" && !sameJSON(from.Config.Web, to.Config.Web) {
		return false
	}
	return json5.Equal(connectionKeys(a.block), connectionKeys(b.block))
}

func connectionKeys(block map[string]any) any {
	out := maps.Clone(block)
	for _, key := range liveChannelKeys() {
		delete(out, key)
	}
	// hostLock is of class process: it has its own way.
	delete(out, "hostLock")
	return out
}

func sameJSON(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && string(x) == string(y)
}
