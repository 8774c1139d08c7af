package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
)

// outboxCmd is `openclaw outbox`.
type outboxCmd struct {
	List  outboxListCmd  `cmd:"" default:"withargs" help:"List deliveries, the newest first."`
	Retry outboxRetryCmd `cmd:"" help:"Send a delivery that has ended once more; one in doubt may then arrive twice."`
	Drop  outboxDropCmd  `cmd:"" help:"Give a delivery up."`
}

type outboxListCmd struct {
	State   []string `help:"Only these states: queued, attempting, sent, refused, unknown, expired, dropped." placeholder:"STATE"`
	Channel string   `help:"Only this channel." placeholder:"ID"`
	Limit   int      `help:"How many at most." default:"50"`
	Timeout int      `help:"How long to wait, in milliseconds." default:"10000"`
	rpc
}

// Run lists deliveries.
func (c *outboxListCmd) Run(t *tool) error {
	var result protocol.OutboxListResult
	p := protocol.OutboxListParams{States: c.State, Channel: c.Channel, Limit: c.Limit}
	if err := t.call(c.rpc, millis(c.Timeout), protocol.MethodOutboxList, p, &result); err != nil {
		return err
	}
	if c.JSON {
		return t.json(result)
	}
	var counts []string
	for state, n := range result.Counts {
		counts = append(counts, fmt.Sprintf("%s %d", state, n))
	}
	slices.Sort(counts)
	t.print("Deliveries: %s", orDash(strings.Join(counts, ", ")))
	rows := make([][]string, 0, len(result.Deliveries))
	for _, d := range result.Deliveries {
		age := span(time.Since(time.UnixMilli(d.CreatedAt)))
		rows = append(rows, []string{d.DeliveryID, d.State, d.Channel + "/" + d.AccountID, d.Conversation, fmt.Sprint(d.Attempts), age, orDash(d.Cause)})
	}
	if len(rows) > 0 {
		t.table([]string{"Delivery", "State", "Account", "Conversation", "Attempts", "Age", "Cause"}, rows)
	}
	if result.Counts["unknown"] > 0 {
		t.print("! deliveries in state unknown may or may not have arrived, and are not sent again by themselves")
		t.print("  → look in the chat; then `%s outbox retry <delivery>` or `%s outbox drop <delivery>`", t.program, t.program)
	}
	return nil
}

type outboxRetryCmd struct{ deliveryVerb }

// Run sends a delivery once more.
func (c *outboxRetryCmd) Run(t *tool) error {
	return c.do(t, protocol.MethodOutboxRetry, "queued again")
}

type outboxDropCmd struct{ deliveryVerb }

// Run gives a delivery up.
func (c *outboxDropCmd) Run(t *tool) error { return c.do(t, protocol.MethodOutboxDrop, "dropped") }

// deliveryVerb is what the commands on one delivery share.
type deliveryVerb struct {
	Delivery string `arg:"" help:"Id of the delivery, as outbox list shows it."`
	Timeout  int    `help:"How long to wait, in milliseconds." default:"10000"`
	rpc
}

func (c *deliveryVerb) do(t *tool, method, done string) error {
	var result protocol.OKResult
	if err := t.call(c.rpc, millis(c.Timeout), method, protocol.OutboxParams{DeliveryID: c.Delivery}, &result); err != nil {
		return err
	}
	if c.JSON {
		return t.json(result)
	}
	t.print("Delivery %s is %s.", c.Delivery, done)
	return nil
}
