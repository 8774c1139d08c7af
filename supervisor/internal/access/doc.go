// Package access decides who may connect to the control plane, and as what.
//
// A Guard owns the shared secret's comparison, dashboard tickets, device
// identities, the stores of paired and pending devices, device tokens, and
// the throttling of guesses. It also knows which connections count as local
// and which web pages may speak. Being local is never enough to get in: it
// only lets the pairing of a device go without a question.
//
// A Guard may be used from several goroutines. Changes of the stores are
// written together, a moment later, by Run. Nothing here sends or closes
// anything, and no secret is ever logged.
package access
