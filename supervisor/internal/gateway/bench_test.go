package gateway_test

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/coder/websocket"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/gateway/gatewaytest"
)

var healthFrame = []byte(`{"type":"req","id":"h","method":"health"}`)

// answer reads until the reply to healthFrame.
func answer(b *testing.B, ws *websocket.Conn) {
	for {
		_, frame, err := ws.Read(context.Background())
		if err != nil {
			b.Fatal(err)
		}
		if bytes.HasPrefix(frame, []byte(`{"type":"res","id":"h"`)) {
			return
		}
	}
}

func BenchmarkHealth(b *testing.B) {
	for _, conns := range []int{1, 64} {
		b.Run(fmt.Sprintf("conns=%d", conns), func(b *testing.B) {
			h := gatewaytest.Start(b, &gatewaytest.Backend{})
			socks := make([]*websocket.Conn, conns)
			for i := range socks {
				socks[i] = h.Raw(b)
			}
			b.ResetTimer()
			var wg sync.WaitGroup
			for i, ws := range socks {
				wg.Go(func() {
					for n := i; n < b.N; n += conns {
						if err := ws.Write(context.Background(), websocket.MessageText, healthFrame); err != nil {
							b.Error(err)
							return
						}
						answer(b, ws)
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
		})
	}
}

func BenchmarkConnect(b *testing.B) {
	h := gatewaytest.Start(b, &gatewaytest.Backend{})
	for b.Loop() {
		h.Raw(b).CloseNow()
	}
}

// BenchmarkBroadcast is one event until the last of 1,000 clients has it.
func BenchmarkBroadcast(b *testing.B) {
	const clients = 1000
	h := gatewaytest.Start(b, &gatewaytest.Backend{})
	got := make(chan struct{}, clients)
	var wg sync.WaitGroup
	var socks []*websocket.Conn
	for range clients {
		ws := h.Raw(b)
		socks = append(socks, ws)
		wg.Go(func() {
			for {
				_, frame, err := ws.Read(context.Background())
				if err != nil {
					return
				}
				if bytes.HasPrefix(frame, []byte(`{"type":"event","event":"talk.mode"`)) {
					got <- struct{}{}
				}
			}
		})
	}
	for b.Loop() {
		h.Bus.Publish(protocol.EventTalkMode, protocol.TalkModePayload{Enabled: true})
		for range clients {
			<-got
		}
	}
	b.StopTimer()
	for _, ws := range socks {
		ws.CloseNow()
	}
	wg.Wait()
}
