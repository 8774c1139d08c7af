package telegram

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	ta "github.com/mymmrac/telego/telegoapi"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/channel"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/message"
)

// Codes of account states and send results; see the package comment.
const (
	codeOK            = "ok"
	codeNotConfigured = "not_configured"
	codeUnauthorized  = "unauthorized"
	codeConflict      = "conflict"
	codeRateLimited   = "rate_limited"
	codeUnavailable   = "unavailable"
	codeNetwork       = "network"
	codeBadAnswer     = "bad_answer"
	codeTimeout       = "timeout"
)

// failure is what one error means.
type failure struct {
	code   string
	text   string
	action string
	// terminal: trying again cannot help.
	terminal bool
	// wait is what Telegram asked for; 0 = nothing.
	wait time.Duration
	// certain: the request was certainly not accepted.
	certain bool
	// refused: the request itself is at fault, for good.
	refused bool
}

// classify reads an error of a call.
func classify(err error) failure {
	var api *ta.Error
	var status *statusError
	var transport *transportError
	switch {
	case errors.As(err, &api):
		return classifyAPI(api)
	case errors.As(err, &status):
		f := failure{code: codeBadAnswer, text: "something answers that is not Telegram's Bot API (" + status.Error() + ")"}
		// A proxy's refusal never reached Telegram; a 404 from it says nothing about the token.
		f.certain = status.status >= 400 && status.status < 500
		if status.status >= 500 || status.status == http.StatusTooManyRequests {
			f = classifyStatus(status.status, "")
		}
		f.wait = status.retryAfter
		return f
	case errors.As(err, &transport):
		f := failure{code: codeNetwork, text: "no connection to Telegram: " + transport.Error(), certain: !transport.written}
		if errors.Is(err, context.DeadlineExceeded) {
			f.code, f.text = codeTimeout, "Telegram did not answer in time"
		}
		return f
	}
	// The library failed before or after the call; what the network did is not known.
	return failure{code: codeBadAnswer, text: "an answer that is not understood: " + err.Error()}
}

func classifyAPI(e *ta.Error) failure {
	f := classifyStatus(e.ErrorCode, e.Description)
	if e.Parameters != nil && e.Parameters.RetryAfter > 0 {
		f.wait = time.Duration(e.Parameters.RetryAfter) * time.Second
	}
	if e.Parameters != nil && e.Parameters.MigrateToChatID != 0 {
		f.code = "chat_migrated"
	}
	return f
}

// classifyStatus reads an HTTP status or the Bot API's error code, which are the same numbers.
func classifyStatus(status int, description string) failure {
	text := strings.TrimPrefix(description, "Bad Request: ")
	if text == "" {
		text = http.StatusText(status)
	}
	switch {
	case status == http.StatusUnauthorized, status == http.StatusNotFound:
		return failure{
			code: codeUnauthorized, text: "Telegram does not know this token", terminal: true, certain: true,
			action: "get the bot's token from BotFather and set botToken",
		}
	case status == http.StatusConflict:
		return failure{
			code: codeConflict, text: "another program receives with this token", certain: true,
			action: "stop the other program, or give this one a bot of its own",
		}
	case status == http.StatusTooManyRequests:
		return failure{code: codeRateLimited, text: "Telegram asks for a pause", certain: true}
	case status == http.StatusServiceUnavailable:
		return failure{code: codeUnavailable, text: "Telegram is not available for now", certain: true}
	case status >= 500:
		return failure{code: codeUnavailable, text: "Telegram failed: " + text}
	case status == http.StatusForbidden:
		return failure{code: "forbidden", text: text, refused: true, certain: true}
	case status >= 400:
		return failure{code: refusalCode(description), text: text, refused: true, certain: true}
	}
	return failure{code: codeBadAnswer, text: "something answers that is not Telegram's Bot API"}
}

// refusalCode names the refusals that somebody may want to tell apart.
func refusalCode(description string) string {
	d := strings.ToLower(description)
	for _, c := range []struct{ part, code string }{
		{"can't parse entities", "bad_markup"}, {"chat not found", "chat_not_found"}, {"message thread not found", "thread_not_found"},
		{"message is too long", "too_long"}, {"caption is too long", "too_long"}, {"message text is empty", "empty"},
		{"voice_messages_forbidden", "voice_forbidden"}, {"reaction_invalid", "reaction_invalid"}, {"message is not modified", "not_modified"},
		{"not found", "message_not_found"}, {"can't be", "not_allowed"},
	} {
		if strings.Contains(d, c.part) {
			return c.code
		}
	}
	return "refused"
}

// result turns a failure into the outcome of a send.
func (f failure) result(token string) message.SendResult {
	r := message.SendResult{Outcome: message.Unknown, Code: f.code, Text: redact(token, f.text)}
	switch {
	case f.refused:
		r.Outcome = message.Refused
	case f.certain:
		r.Outcome = message.NotSent
		r.RetryAfterMS = f.wait.Milliseconds()
	}
	return r
}

// backoff is the wait before attempt n+1, n from 1: growing by 1.8, up to a quarter more by chance.
func backoff(o Options, n int) time.Duration {
	base := float64(o.FirstDelay) * math.Pow(1.8, float64(min(n, 64)-1))
	base = min(base, float64(o.MaxDelay))
	return min(o.MaxDelay, time.Duration(math.Round(base+0.25*rand.Float64()*base)))
}

// sentResult is the result of a send that Telegram took.
func sentResult(id channel.MessageID) message.SendResult {
	return message.SendResult{Outcome: message.Sent, ID: id}
}
