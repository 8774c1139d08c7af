package gateway

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
)

const (
	controlWait    = 30 * time.Second
	controlWaitMax = 5 * time.Minute
	probeWait      = 10 * time.Second
)

func (s *Server) registerChannels() {
	if s.cfg.Backends.Channels != nil {
		s.methods.add(method{name: protocol.MethodChannelsStatus, params: "ChannelsStatusParams", agent: true, waits: true, handle: s.channelsStatus})
	}
}

func (s *Server) registerWorkers() {
	if s.cfg.Backends.Workers == nil {
		return
	}
	m := s.methods
	m.add(method{name: protocol.MethodWorkersList, handle: s.workersList})
	m.add(method{name: protocol.MethodWorkersLogs, handle: s.workersLogs})
	for _, action := range []WorkerAction{WorkerRestart, WorkerStop, WorkerStart, WorkerKill} {
		m.add(method{name: "workers." + string(action), waits: true, handle: func(ctx context.Context, c *call) error { return s.workerControl(ctx, c, action) }})
	}
}

func (s *Server) channelsStatus(ctx context.Context, c *call) error {
	var p protocol.ChannelsStatusParams
	if err := c.decode(&p); err != nil {
		return err
	}
	wait := probeWait
	if p.TimeoutMS != nil {
		wait = min(time.Duration(*p.TimeoutMS)*time.Millisecond, time.Minute)
	}
	if p.Probe {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, max(wait, 100*time.Millisecond))
		defer cancel()
	}
	r, err := s.cfg.Backends.Channels.Status(ctx, p)
	if err != nil {
		return err
	}
	c.Reply(r)
	return nil
}

func (s *Server) workersList(_ context.Context, c *call) error {
	list := s.cfg.Backends.Workers.List()
	if list == nil {
		list = []protocol.WorkerView{}
	}
	c.Reply(protocol.WorkersListResult{TS: s.now().UnixMilli(), Workers: list})
	return nil
}

func (s *Server) workersLogs(_ context.Context, c *call) error {
	var p protocol.WorkerLogsParams
	if err := c.strict(&p); err != nil {
		return err
	}
	if err := s.knownWorker(&p.Worker); err != nil {
		return err
	}
	if p.Limit < 0 {
		return protocol.Invalid("invalid workers.logs params: at /limit: must be >= 0")
	}
	lines, err := s.cfg.Backends.Workers.Logs(p.Worker, p.Limit)
	if err != nil {
		return err
	}
	if lines == nil {
		lines = []string{}
	}
	c.Reply(protocol.WorkerLogsResult{Worker: p.Worker, Lines: lines})
	return nil
}

func (s *Server) workerControl(ctx context.Context, c *call, action WorkerAction) error {
	var p protocol.WorkerParams
	if err := c.strict(&p); err != nil {
		return err
	}
	if err := s.knownWorker(&p.Worker); err != nil {
		return err
	}
	wait := controlWait
	if p.TimeoutMS != nil {
		wait = min(max(time.Duration(*p.TimeoutMS)*time.Millisecond, 0), controlWaitMax)
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	view, err := s.cfg.Backends.Workers.Control(ctx, action, p.Worker)
	if err != nil {
		return err
	}
	c.Reply(protocol.WorkerResult{OK: true, Worker: view})
	s.cfg.Board.Touch()
	return nil
}

// knownWorker trims the id and makes sure that there is such a worker.
func (s *Server) knownWorker(id *string) error {
	*id = strings.TrimSpace(*id)
	if *id == "" {
		return protocol.Invalid("worker required")
	}
	var names []string
	for _, w := range s.cfg.Backends.Workers.List() {
		if w.ID == *id {
			return nil
		}
		names = append(names, w.ID)
	}
	return protocol.Invalid("unknown worker %q (there are: %s)", *id, strings.Join(names, ", "))
}

// strict reads parameters that no schema describes, and refuses those that it
// does not know.
func (c *call) strict(v any) error {
	dec := json.NewDecoder(strings.NewReader(string(orEmpty(c.params))))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return protocol.Invalid("invalid %s params: %s", c.row.name, strings.TrimPrefix(err.Error(), "json: "))
	}
	return nil
}
