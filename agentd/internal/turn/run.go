package turn

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"

	"github.com/openclaw/openclaw-supervisor/agentd/internal/chat"
	"github.com/openclaw/openclaw-supervisor/agentd/internal/model"
	"github.com/openclaw/openclaw-supervisor/agentd/internal/prompt"
	"github.com/openclaw/openclaw-supervisor/agentd/internal/settings"
	"github.com/openclaw/openclaw-supervisor/agentd/internal/tool"
	"github.com/openclaw/openclaw-supervisor/agentd/internal/transcript"
	"github.com/openclaw/openclaw-supervisor/agentd/internal/workspace"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/agent"
)

// run is one run that goes on. All but the steering queue belongs to the goroutine of Engine.Run.
type run struct {
	e      *Engine
	snap   Snapshot
	req    agent.RunRequest
	agent  settings.Agent
	log    *slog.Logger
	cancel context.CancelCauseFunc
	emitTo func(agent.RunEvent) error

	t          *transcript.File
	candidates []model.Model
	tools      *tool.Set
	system     string
	usage      chat.Usage
	nextPart   uint32
	lastCall   string // the newest tool call, and how often in a row it was made
	repeated   int

	mu     sync.Mutex // guards the fields below
	queue  []agent.Input
	closed bool
}

// model is the one that is asked now.
func (r *run) model() model.Model { return r.candidates[0] }

// level is how hard the model thinks that is asked now.
func (r *run) level() string { return r.model().Level(r.req.Policy.Thinking, r.agent.ThinkingDefault) }

// emit tells the supervisor; when it cannot be told, the run is interrupted.
func (r *run) emit(ev agent.RunEvent) error {
	if err := r.emitTo(ev); err != nil {
		r.cancel(errInterrupted)
		return fmt.Errorf("report to the supervisor: %w", err)
	}
	return nil
}

// do is a run from its first event to its last.
func (r *run) do(ctx context.Context) error {
	t, err := transcript.Open(ctx, transcript.Options{
		Path: r.req.Transcript, SessionID: r.req.SessionID, Cwd: r.req.Workspace, Cache: &r.e.files, Now: r.e.cfg.Now, Log: r.log,
	})
	if err != nil {
		if ctx.Err() != nil && !ended(ctx) {
			return context.Cause(ctx)
		}
		return r.failUnwritten(ctx, err)
	}
	defer func() { _ = t.Close() }()
	r.t = t
	models, modelErr := r.snap.Catalogue.Candidates(r.req.AgentID, r.req.Policy.Model, r.req.Policy.ModelFallbacks)
	r.candidates = models
	st := examine(t.Run(r.req.RunID))
	started := agent.Started{Resumed: st.resumed}
	if modelErr == nil {
		started.Provider, started.Model = r.model().Provider, r.model().ID
	}
	if err := r.emit(agent.RunEvent{Started: &started}); err != nil {
		return err
	}
	if st.terminal {
		return r.repeat(st)
	}
	if err := r.takeUp(st); err != nil {
		return r.ending(ctx, err)
	}
	if modelErr != nil {
		return r.fail(ctx, &failure{code: "model", text: modelErr.Error()}, nil)
	}
	if r.model().ContextWindow < 16000 {
		return r.fail(ctx, &failure{code: "model", text: fmt.Sprintf("model %s has a context window of %d tokens; at least 16000 are needed",
			r.model().Ref(), r.model().ContextWindow)}, nil)
	}
	if err := r.prepare(ctx); err != nil {
		return r.ending(ctx, err)
	}
	return r.ending(ctx, r.loop(ctx))
}

// repeat tells the end of a run that was stored before; no model is asked.
func (r *run) repeat(st state) error {
	r.close()
	if err := r.emit(agent.RunEvent{InputStored: st.inputs}); err != nil {
		return err
	}
	if err := r.emit(agent.RunEvent{Progress: &agent.Progress{EntryID: st.last.ID}}); err != nil {
		return err
	}
	return r.finish()
}

// prepare makes the workspace, the tools and the prompt of the run.
func (r *run) prepare(ctx context.Context) error {
	if r.req.Workspace != "" {
		if err := workspace.Ensure(ctx, r.req.Workspace, r.agent.SkipBootstrap); err != nil {
			return err
		}
	}
	policies := []tool.Policy{policy(&r.snap.Settings.Tools), policy(r.agent.Tools), {Allow: r.req.Policy.ToolsAllow, Deny: r.req.Policy.ToolsDeny}}
	r.tools = r.e.cfg.Tools.Select(policies...)
	aliases := map[string]string{}
	for ref, p := range r.agent.Models {
		if p.Alias != "" {
			aliases[p.Alias] = ref
		}
	}
	def, _, err := r.snap.Catalogue.Default(r.req.AgentID)
	if err != nil {
		def = r.model()
	}
	r.system, _ = prompt.Build(prompt.Facts{
		Mode: r.req.Policy.PromptMode, AgentID: r.req.AgentID, Workspace: r.req.Workspace, Tools: r.tools.Specs(),
		Model: r.model().Ref(), DefaultModel: def.Ref(), Aliases: aliases, Thinking: r.level(), Reasoning: r.req.Policy.Reasoning,
		Channel: r.req.Route.Channel, Shell: r.snap.Settings.Env["SHELL"], Direct: r.req.Route.ChatKind == "" || r.req.Route.ChatKind == "direct",
		Timezone: r.agent.UserTimezone, RepoRoot: r.agent.RepoRoot, Extra: r.req.Policy.ExtraSystemPrompt,
		HeartbeatPrompt: r.agent.HeartbeatPrompt, MaxFileChars: r.agent.BootstrapMaxChars, Warn: r.log.Warn,
	})
	if r.req.PreviousAborted {
		r.system += "\nNote: the run before this one was aborted at the person's wish. Take it up again only if they ask for it."
	}
	return nil
}

func policy(t *settings.Tools) tool.Policy {
	if t == nil {
		return tool.Policy{}
	}
	return tool.Policy{Profile: t.Profile, Allow: t.Allow, AlsoAllow: t.AlsoAllow, Deny: t.Deny}
}

// loop asks the model and makes its tool calls until it has answered.
func (r *run) loop(ctx context.Context) error {
	if _, err := r.takeSteered(); err != nil {
		return err
	}
	for {
		said, err := r.ask(ctx)
		if err != nil {
			return err
		}
		calls := said.Message.ToolCalls()
		if len(calls) == 0 {
			more, err := r.steeredOrClose()
			if err != nil {
				return err
			}
			if more {
				continue
			}
			return r.finish()
		}
		if err := r.act(ctx, calls); err != nil {
			return err
		}
	}
}

// append writes entries and tells the newest one's id.
func (r *run) append(entries ...transcript.Entry) ([]transcript.Entry, error) {
	out, err := r.t.Append(entries...)
	if err != nil || len(out) == 0 {
		return nil, err
	}
	return out, r.emit(agent.RunEvent{Progress: &agent.Progress{EntryID: out[len(out)-1].ID}})
}

// ended reports whether ctx ended in a way that ends the run for good.
func ended(ctx context.Context) bool {
	cause := context.Cause(ctx)
	var abort *abortError
	return errors.As(cause, &abort) || errors.Is(cause, errTimeout)
}

// steer queues an input, unless the run is about to finish. An input that is
// there already is not queued again.
func (r *run) steer(in agent.Input) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return false
	}
	if !slices.ContainsFunc(r.queue, func(q agent.Input) bool { return q.ID == in.ID }) {
		r.queue = append(r.queue, in)
	}
	return true
}

// steered takes one input from the queue. With orClose, an empty queue is closed for good.
func (r *run) steered(orClose bool) (agent.Input, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.queue) == 0 {
		r.closed = r.closed || orClose
		return agent.Input{}, false
	}
	in := r.queue[0]
	r.queue = r.queue[1:]
	return in, true
}

func (r *run) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	r.queue = nil
}

// takeSteered stores the next steered input, if there is one.
func (r *run) takeSteered() (bool, error) { return r.nextInput(false) }

// steeredOrClose does the same where the run would end; without one no more is taken.
func (r *run) steeredOrClose() (bool, error) { return r.nextInput(true) }

func (r *run) nextInput(orClose bool) (bool, error) {
	for {
		in, ok := r.steered(orClose)
		if !ok {
			return false, nil
		}
		if slices.Contains(examine(r.t.Run(r.req.RunID)).inputs, in.ID) {
			continue
		}
		if err := r.storeInputs(nil, []agent.Input{in}); err != nil {
			return false, err
		}
		return true, nil
	}
}
