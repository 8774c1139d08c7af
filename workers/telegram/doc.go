// Package telegram is the worker for Telegram's Bot API: all accounts of the channel,
// by long polling, over the telego library.
//
// It owns the network, the rendering of spans to Telegram's HTML, and nothing else:
// access, routing, chunking, pacing and retry are the supervisor's. An update is
// confirmed to Telegram only once the supervisor has stored it. A send is made once
// and answered truthfully: Telegram has no name for a message, so a send whose answer
// was lost is unknown.
//
// What an account's state says, by code:
//
//	not_configured  terminal   no token, or one that is malformed
//	unauthorized    terminal   Telegram does not know the token (401, 404)
//	conflict        degraded   another program polls with the same token (409)
//	rate_limited    degraded   Telegram asked us to wait (429)
//	unavailable     degraded   Telegram answered 5xx
//	network         degraded   no connection, or a poll that came to no end in time
//	bad_answer      degraded   something answers that is not the Bot API
//
// Before the first success "degraded" reads "connecting". All but the terminal ones
// are tried again, for ever, 2 s growing to 30 s apart. Tokens never stand in errors,
// states or logs.
package telegram
