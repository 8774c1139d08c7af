package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// control is the test's way in: HTTP on loopback.
//
//	POST /inbound  an Inbound, or a list of them; key and sender are made up where empty
//	GET  /sent     every Sent, over all lives
//	GET  /pending  what the supervisor has not stored
//	POST /mode     a Fault, which replaces the present one and begins at once
//	POST /burst    {"count", "everyMs", "conversation"}: messages at a rate, until done
//	GET  /who      {"pid", "life", "accounts", "environ"}
func (w *worker) control(address string) error {
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", address)
	if err != nil {
		return fmt.Errorf("listen for control: %w", err)
	}
	name := filepath.Join(w.stateDir, "control.addr")
	if err := os.WriteFile(name, []byte(l.Addr().String()), 0o600); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /inbound", w.postInbound)
	mux.HandleFunc("GET /sent", func(rw http.ResponseWriter, _ *http.Request) { answer(rw, w.network.all()) })
	mux.HandleFunc("GET /pending", func(rw http.ResponseWriter, _ *http.Request) { answer(rw, append([]Inbound{}, w.network.unacked()...)) })
	mux.HandleFunc("POST /mode", w.postMode)
	mux.HandleFunc("POST /burst", w.postBurst)
	mux.HandleFunc("GET /who", func(rw http.ResponseWriter, _ *http.Request) {
		answer(rw, map[string]any{"pid": os.Getpid(), "life": w.life, "accounts": w.accountIDs(), "environ": os.Environ()})
	})
	go func() { _ = http.Serve(l, mux) }() // ends with the process
	return nil
}

func answer(rw http.ResponseWriter, v any) {
	rw.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(rw).Encode(v)
}

func (w *worker) postInbound(rw http.ResponseWriter, r *http.Request) {
	var raw json.RawMessage
	if err := json.NewDecoder(r.Body).Decode(&raw); err != nil {
		http.Error(rw, err.Error(), http.StatusBadRequest)
		return
	}
	var list []Inbound
	if err := json.Unmarshal(raw, &list); err != nil {
		list = make([]Inbound, 1)
		if err := json.Unmarshal(raw, &list[0]); err != nil {
			http.Error(rw, err.Error(), http.StatusBadRequest)
			return
		}
	}
	for _, m := range list {
		if err := w.somebodyWrites(m); err != nil {
			http.Error(rw, err.Error(), http.StatusInternalServerError)
			return
		}
	}
	answer(rw, map[string]int{"written": len(list)})
	_ = http.NewResponseController(rw).Flush() // what is delivered now may be the last thing that this process does
	w.poke()
}

// somebodyWrites puts a message on the network; poke then tells those who are connected.
func (w *worker) somebodyWrites(m Inbound) error {
	if m.Account == "" {
		m.Account = "default"
	}
	if m.Key == "" {
		m.Key = "m:" + strconv.FormatInt(time.Now().UnixNano(), 36) + "-" + strconv.FormatUint(w.serial.Add(1), 36)
	}
	if m.Conversation == "" {
		m.Conversation = "chat"
	}
	if m.Sender == "" {
		m.Sender = "person-" + m.Conversation
	}
	return w.network.write(m)
}

func (w *worker) postMode(rw http.ResponseWriter, r *http.Request) {
	var f Fault
	dec := json.NewDecoder(r.Body)
	dec.DisallowUnknownFields()
	if err := dec.Decode(&f); err != nil {
		http.Error(rw, err.Error(), http.StatusBadRequest)
		return
	}
	answer(rw, map[string]bool{"ok": true})
	_ = http.NewResponseController(rw).Flush() // the process may not live to the end of this call
	w.setFault(f)
	w.begin()
}

func (w *worker) postBurst(rw http.ResponseWriter, r *http.Request) {
	var b struct {
		Count        int    `json:"count"`
		EveryMS      int    `json:"everyMs"`
		Conversation string `json:"conversation"`
	}
	if err := json.NewDecoder(r.Body).Decode(&b); err != nil {
		http.Error(rw, err.Error(), http.StatusBadRequest)
		return
	}
	tick := time.NewTicker(max(time.Duration(b.EveryMS), 1) * time.Millisecond)
	defer tick.Stop()
	for i := range b.Count {
		if err := w.somebodyWrites(Inbound{Conversation: b.Conversation, Text: "message " + strconv.Itoa(i+1)}); err != nil {
			http.Error(rw, err.Error(), http.StatusInternalServerError)
			return
		}
		w.poke()
		select {
		case <-tick.C:
		case <-r.Context().Done():
			return
		}
	}
	answer(rw, map[string]int{"written": b.Count})
}
