package app

import (
	"log/slog"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/event"
)

// busEvents tells clients of runs over the bus.
type busEvents struct {
	bus *event.Bus
	log *slog.Logger
	// ended is told when a run has ended: sessions and queues look different then.
	ended func()
}

// Chat implements run.Events.
func (b busEvents) Chat(e protocol.ChatEvent) {
	if err := b.bus.Publish(protocol.EventChat, e); err != nil {
		b.log.Error("a chat event could not be told", "run", e.RunID, "error", err)
	}
	if e.State != protocol.ChatDelta {
		b.ended()
	}
}

// Agent implements run.Events.
func (b busEvents) Agent(e protocol.AgentEvent, toolsOf string) {
	var err error
	if toolsOf != "" {
		_, err = b.bus.Tell(toolsOf, protocol.EventAgent, e)
	} else {
		err = b.bus.Publish(protocol.EventAgent, e)
	}
	if err != nil {
		b.log.Error("an agent event could not be told", "run", e.RunID, "error", err)
	}
}
