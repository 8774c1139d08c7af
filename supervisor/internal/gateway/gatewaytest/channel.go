package gatewaytest

import (
	"context"
	"slices"
	"time"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/health"
)

func (x channels) Status(context.Context, protocol.ChannelsStatusParams) (protocol.ChannelsStatusResult, error) {
	return health.ChannelsStatus(workers(x).List(), nil, time.Now().UnixMilli()), nil
}

func (x channels) Provides(id string) bool { return slices.Contains(x.b.ChannelIDs, id) }
