package run

import (
	"context"
	"sync"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/agent"
)

// active is a run that was admitted and has not ended, in this process's life.
type active struct {
	id         string // ours
	clientID   string // the wire's: the client's key where it gave one
	sessionKey string
	agentID    string
	sessionID  string
	plan       Plan
	inboxIDs   []int64
	voice      *voice

	mu        sync.Mutex // guards all below
	startedMS int64
	client    *agent.Client // while an attempt is going on
	stop      context.CancelFunc
	abort     string // stop reason; empty = not aborted
	progress  string // newest transcript entry of the run
	stalled   int    // charges
	attempts  int
	delivered []agent.Part
	ended     chan struct{} // closed when final is set
	final     Final
}

// Final is how a run ended.
type Final struct {
	Result    protocol.AgentResult
	Err       *protocol.Error
	StartedMS int64
	EndedMS   int64
	// Aborted is the stop reason of a run that was aborted.
	Aborted string `json:",omitempty"`
}

// aborting remembers why the run is to end and returns the client to tell, if an
// attempt is going on. first is false when it was aborted before.
func (a *active) aborting(reason string) (client *agent.Client, first bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.abort != "" {
		return nil, false
	}
	a.abort = reason
	return a.client, true
}

func (a *active) abortReason() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.abort
}

func (a *active) end(f Final) {
	a.mu.Lock()
	defer a.mu.Unlock()
	select {
	case <-a.ended:
	default:
		a.final = f
		close(a.ended)
	}
}

// outcome is valid after ended is closed.
func (a *active) outcome() Final {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.final
}

// registry finds active runs by either id and by session.
type registry struct {
	mu   sync.Mutex // guards all below
	byID map[string]*active
}

func newRegistry() *registry { return &registry{byID: map[string]*active{}} }

func (r *registry) add(a *active) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.byID[a.id] = a
	if a.clientID != a.id {
		r.byID[a.clientID] = a
	}
}

func (r *registry) remove(a *active) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range []string{a.id, a.clientID} {
		if r.byID[id] == a {
			delete(r.byID, id)
		}
	}
}

func (r *registry) find(id string) *active {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.byID[id]
}

func (r *registry) ofSession(key string) []*active {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []*active
	for id, a := range r.byID {
		if a.sessionKey == key && id == a.id {
			out = append(out, a)
		}
	}
	return out
}
