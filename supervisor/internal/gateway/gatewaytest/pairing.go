package gatewaytest

import (
	"context"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
)

func (x pairing) ListPairing(ctx context.Context, p protocol.PairingListParams) (protocol.PairingListResult, error) {
	if x.b.PairingsFunc == nil {
		return protocol.PairingListResult{Channel: p.Channel, Requests: []protocol.PairingRequest{}}, nil
	}
	return x.b.PairingsFunc(ctx, p)
}

func (x pairing) ApprovePairing(ctx context.Context, p protocol.PairingApproveParams) (protocol.PairingApproveResult, error) {
	if x.b.PairFunc == nil {
		return protocol.PairingApproveResult{}, protocol.Invalid("No pending pairing request found for code: %s", p.Code)
	}
	return x.b.PairFunc(ctx, p)
}

func (x pairing) RejectPairing(ctx context.Context, p protocol.PairingRejectParams) (protocol.PairingRejectResult, error) {
	if x.b.UnpairFunc == nil {
		return protocol.PairingRejectResult{}, protocol.Invalid("No pending pairing request found for code: %s", p.Code)
	}
	return x.b.UnpairFunc(ctx, p)
}
