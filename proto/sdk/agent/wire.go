package agent

import (
	"encoding/json"
	"time"

	agentv1 "github.com/openclaw/openclaw-supervisor/proto/gen/openclaw/agent/v1"
)

func attachmentsToWire(as []Attachment) []*agentv1.Attachment {
	var out []*agentv1.Attachment
	for _, a := range as {
		out = append(out, &agentv1.Attachment{Path: a.Path, Mime: a.MIME, Name: a.Name})
	}
	return out
}

func attachmentsFromWire(ws []*agentv1.Attachment) []Attachment {
	var out []Attachment
	for _, w := range ws {
		out = append(out, Attachment{Path: w.GetPath(), MIME: w.GetMime(), Name: w.GetName()})
	}
	return out
}

func (in Input) toWire() *agentv1.Input {
	return &agentv1.Input{InputId: in.ID, Text: in.Text, Attachments: attachmentsToWire(in.Attachments), TimestampMs: in.TimestampMS}
}

func inputFromWire(w *agentv1.Input) Input {
	return Input{ID: w.GetInputId(), Text: w.GetText(), Attachments: attachmentsFromWire(w.GetAttachments()), TimestampMS: w.GetTimestampMs()}
}

func (p Part) toWire() *agentv1.Part {
	return &agentv1.Part{N: uint32(max(p.N, 0)), Text: p.Text, Media: attachmentsToWire(p.Media)}
}

func partFromWire(w *agentv1.Part) Part {
	return Part{N: int(w.GetN()), Text: w.GetText(), Media: attachmentsFromWire(w.GetMedia())}
}

func (r RunRequest) toWire() *agentv1.RunRequest {
	w := &agentv1.RunRequest{
		RunId: r.RunID, Attempt: uint32(max(r.Attempt, 0)), AgentId: r.AgentID, SessionKey: r.SessionKey, SessionId: r.SessionID,
		Transcript: r.Transcript, TimeoutMs: r.Timeout.Milliseconds(), ConfigRevision: r.ConfigRevision, Workspace: r.Workspace,
		PreviousAborted: r.PreviousAborted,
		Policy: &agentv1.RunPolicy{
			Model: r.Policy.Model, ModelFallbacks: r.Policy.ModelFallbacks, Thinking: r.Policy.Thinking, Verbose: r.Policy.Verbose,
			Reasoning: r.Policy.Reasoning, Elevated: r.Policy.Elevated, ToolsAllow: r.Policy.ToolsAllow, ToolsDeny: r.Policy.ToolsDeny,
			PromptMode: r.Policy.PromptMode, ExtraSystemPrompt: r.Policy.ExtraSystemPrompt,
		},
		Route: &agentv1.RouteSummary{Channel: r.Route.Channel, Account: r.Route.Account, Conversation: r.Route.Conversation, ChatKind: r.Route.ChatKind},
	}
	for _, in := range r.Inputs {
		w.Inputs = append(w.Inputs, in.toWire())
	}
	for _, p := range r.Delivered {
		w.DeliveredParts = append(w.DeliveredParts, &agentv1.DeliveredPart{N: uint32(max(p.N, 0)), Text: p.Text})
	}
	return w
}

func runRequestFromWire(w *agentv1.RunRequest) RunRequest {
	p, rt := w.GetPolicy(), w.GetRoute()
	r := RunRequest{
		RunID: w.GetRunId(), Attempt: int(w.GetAttempt()), AgentID: w.GetAgentId(), SessionKey: w.GetSessionKey(), SessionID: w.GetSessionId(),
		Transcript: w.GetTranscript(), Timeout: time.Duration(w.GetTimeoutMs()) * time.Millisecond, ConfigRevision: w.GetConfigRevision(),
		Workspace: w.GetWorkspace(), PreviousAborted: w.GetPreviousAborted(),
		Policy: Policy{
			Model: p.GetModel(), ModelFallbacks: p.GetModelFallbacks(), Thinking: p.GetThinking(), Verbose: p.GetVerbose(),
			Reasoning: p.GetReasoning(), Elevated: p.GetElevated(), ToolsAllow: p.GetToolsAllow(), ToolsDeny: p.GetToolsDeny(),
			PromptMode: p.GetPromptMode(), ExtraSystemPrompt: p.GetExtraSystemPrompt(),
		},
		Route: Route{Channel: rt.GetChannel(), Account: rt.GetAccount(), Conversation: rt.GetConversation(), ChatKind: rt.GetChatKind()},
	}
	for _, in := range w.GetInputs() {
		r.Inputs = append(r.Inputs, inputFromWire(in))
	}
	for _, d := range w.GetDeliveredParts() {
		r.Delivered = append(r.Delivered, Part{N: int(d.GetN()), Text: d.GetText()})
	}
	return r
}

func (u Usage) toWire() *agentv1.Usage {
	return &agentv1.Usage{Input: u.Input, Output: u.Output, CacheRead: u.CacheRead, CacheWrite: u.CacheWrite, Total: u.Total, Cost: u.Cost}
}

func usageFromWire(w *agentv1.Usage) Usage {
	return Usage{Input: w.GetInput(), Output: w.GetOutput(), CacheRead: w.GetCacheRead(), CacheWrite: w.GetCacheWrite(), Total: w.GetTotal(), Cost: w.GetCost()}
}

func (e RunEvent) toWire() *agentv1.RunEvent {
	w := &agentv1.RunEvent{Seq: e.Seq}
	switch {
	case e.Started != nil:
		w.Body = &agentv1.RunEvent_Started{Started: &agentv1.RunStarted{Provider: e.Started.Provider, Model: e.Started.Model, Resumed: e.Started.Resumed}}
	case e.InputStored != nil:
		w.Body = &agentv1.RunEvent_InputStored{InputStored: &agentv1.InputStored{InputIds: e.InputStored}}
	case e.Assistant != nil:
		w.Body = &agentv1.RunEvent_AssistantDelta{AssistantDelta: &agentv1.AssistantDelta{Delta: e.Assistant.Delta, Text: e.Assistant.Text}}
	case e.Thinking != nil:
		w.Body = &agentv1.RunEvent_ThinkingDelta{ThinkingDelta: &agentv1.ThinkingDelta{Delta: e.Thinking.Delta}}
	case e.Tool != nil:
		t := e.Tool
		w.Body = &agentv1.RunEvent_Tool{Tool: &agentv1.ToolEvent{
			Phase: agentv1.ToolPhase(t.Phase), ToolCallId: t.ToolCallID, Name: t.Name, ArgsJson: string(t.Args), ResultJson: string(t.Result), IsError: t.IsError,
		}}
	case e.Part != nil:
		w.Body = &agentv1.RunEvent_Part{Part: e.Part.toWire()}
	case e.Compaction != nil:
		w.Body = &agentv1.RunEvent_Compaction{Compaction: &agentv1.CompactionEvent{Phase: e.Compaction.Phase, WillRetry: e.Compaction.WillRetry}}
	case e.Usage != nil:
		w.Body = &agentv1.RunEvent_Usage{Usage: e.Usage.toWire()}
	case e.Progress != nil:
		w.Body = &agentv1.RunEvent_Progress{Progress: &agentv1.Progress{EntryId: e.Progress.EntryID}}
	case e.Finished != nil:
		f := e.Finished
		wf := &agentv1.RunFinished{
			Status: agentv1.RunStatus(f.Status), Usage: f.Usage.toWire(), SessionPatchJson: string(f.SessionPatch), StopReason: f.StopReason,
			ErrorCode: f.ErrorCode, ErrorText: f.ErrorText, Retryable: f.Retryable, Provider: f.Provider, Model: f.Model,
		}
		for _, p := range f.Parts {
			wf.Parts = append(wf.Parts, p.toWire())
		}
		w.Body = &agentv1.RunEvent_Finished{Finished: wf}
	}
	return w
}

func runEventFromWire(w *agentv1.RunEvent) RunEvent {
	e := RunEvent{Seq: w.GetSeq()}
	switch b := w.GetBody().(type) {
	case *agentv1.RunEvent_Started:
		e.Started = &Started{Provider: b.Started.GetProvider(), Model: b.Started.GetModel(), Resumed: b.Started.GetResumed()}
	case *agentv1.RunEvent_InputStored:
		e.InputStored = b.InputStored.GetInputIds()
	case *agentv1.RunEvent_AssistantDelta:
		e.Assistant = &AssistantDelta{Delta: b.AssistantDelta.GetDelta(), Text: b.AssistantDelta.GetText()}
	case *agentv1.RunEvent_ThinkingDelta:
		e.Thinking = &ThinkingDelta{Delta: b.ThinkingDelta.GetDelta()}
	case *agentv1.RunEvent_Tool:
		t := b.Tool
		e.Tool = &ToolEvent{
			Phase: ToolPhase(t.GetPhase()), ToolCallID: t.GetToolCallId(), Name: t.GetName(), Args: rawJSON(t.GetArgsJson()),
			Result: rawJSON(t.GetResultJson()), IsError: t.GetIsError(),
		}
	case *agentv1.RunEvent_Part:
		p := partFromWire(b.Part)
		e.Part = &p
	case *agentv1.RunEvent_Compaction:
		e.Compaction = &Compaction{Phase: b.Compaction.GetPhase(), WillRetry: b.Compaction.GetWillRetry()}
	case *agentv1.RunEvent_Usage:
		u := usageFromWire(b.Usage)
		e.Usage = &u
	case *agentv1.RunEvent_Progress:
		e.Progress = &Progress{EntryID: b.Progress.GetEntryId()}
	case *agentv1.RunEvent_Finished:
		f := b.Finished
		fin := &Finished{
			Status: RunStatus(f.GetStatus()), Usage: usageFromWire(f.GetUsage()), SessionPatch: rawJSON(f.GetSessionPatchJson()),
			StopReason: f.GetStopReason(), ErrorCode: f.GetErrorCode(), ErrorText: f.GetErrorText(), Retryable: f.GetRetryable(),
			Provider: f.GetProvider(), Model: f.GetModel(),
		}
		for _, p := range f.GetParts() {
			fin.Parts = append(fin.Parts, partFromWire(p))
		}
		e.Finished = fin
	}
	return e
}

// rawJSON keeps an empty text from becoming invalid JSON.
func rawJSON(s string) json.RawMessage {
	if s == "" {
		return nil
	}
	return json.RawMessage(s)
}

func (t TranscriptRef) toWire() *agentv1.TranscriptRef {
	return &agentv1.TranscriptRef{AgentId: t.AgentID, SessionKey: t.SessionKey, SessionId: t.SessionID, Path: t.Path}
}

func refFromWire(w *agentv1.TranscriptRef) TranscriptRef {
	return TranscriptRef{AgentID: w.GetAgentId(), SessionKey: w.GetSessionKey(), SessionID: w.GetSessionId(), Path: w.GetPath()}
}

func (f File) toWire() *agentv1.AgentFile {
	return &agentv1.AgentFile{Name: f.Name, Path: f.Path, Missing: f.Missing, Size: f.Size, UpdatedMs: f.UpdatedMS, Content: f.Content}
}

func fileFromWire(w *agentv1.AgentFile) File {
	return File{Name: w.GetName(), Path: w.GetPath(), Missing: w.GetMissing(), Size: w.GetSize(), UpdatedMS: w.GetUpdatedMs(), Content: w.GetContent()}
}
