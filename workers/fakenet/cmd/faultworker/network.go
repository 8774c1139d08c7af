package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
)

// Inbound is a message that somebody writes on the played network.
type Inbound struct {
	Account      string `json:"account,omitempty"`
	Key          string `json:"key"`
	Conversation string `json:"conversation"`
	Sender       string `json:"sender"`
	Text         string `json:"text"`
	Group        bool   `json:"group,omitempty"`
}

// Sent is a message that the network took from us.
type Sent struct {
	ID           string `json:"id"`
	Delivery     string `json:"delivery"`
	Account      string `json:"account"`
	Conversation string `json:"conversation"`
	Text         string `json:"text"`
	Attempt      int    `json:"attempt"`
	PID          int    `json:"pid"`
}

// network is what outlives the worker: files of whole lines, one per record.
type network struct {
	dir string

	mu      sync.Mutex // guards all below, and the files
	pending []Inbound  // not acknowledged, in order
	sent    []Sent
}

func openNetwork(dir string) (*network, error) {
	n := &network{dir: dir}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open network: %w", err)
	}
	acked, err := readLines[string](filepath.Join(dir, "acked.jsonl"))
	if err != nil {
		return nil, err
	}
	if n.pending, err = readLines[Inbound](filepath.Join(dir, "inbound.jsonl")); err != nil {
		return nil, err
	}
	n.pending = slices.DeleteFunc(n.pending, func(m Inbound) bool { return slices.Contains(acked, m.Key) })
	n.sent, err = readLines[Sent](filepath.Join(dir, "sent.jsonl"))
	return n, err
}

// write is somebody writing a message.
func (n *network) write(m Inbound) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := n.append("inbound.jsonl", m); err != nil {
		return err
	}
	n.pending = append(n.pending, m)
	return nil
}

// ack moves the network on past a message: it is never delivered again.
func (n *network) ack(key string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.pending = slices.DeleteFunc(n.pending, func(m Inbound) bool { return m.Key == key })
	return n.append("acked.jsonl", key)
}

// unacked are the messages that a new connection is given.
func (n *network) unacked() []Inbound {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.pending)
}

// take puts a message on the network; with named it takes no delivery twice.
func (n *network) take(s Sent, named bool) (Sent, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if i := n.find(s.Delivery); named && i >= 0 {
		return n.sent[i], nil
	}
	s.ID, s.PID = fmt.Sprintf("net-%d", len(n.sent)+1), os.Getpid()
	if err := n.append("sent.jsonl", s); err != nil {
		return s, err
	}
	n.sent = append(n.sent, s)
	return s, nil
}

// taken finds a delivery.
func (n *network) taken(delivery string) (Sent, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if i := n.find(delivery); i >= 0 {
		return n.sent[i], true
	}
	return Sent{}, false
}

// find is called with mu held.
func (n *network) find(delivery string) int {
	return slices.IndexFunc(n.sent, func(s Sent) bool { return s.Delivery == delivery })
}

func (n *network) all() []Sent {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]Sent{}, n.sent...)
}

// append is called with mu held. One write per record: a killed process leaves whole lines or nothing.
func (n *network) append(file string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	f, err := os.OpenFile(filepath.Join(n.dir, file), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	_, err = f.Write(append(b, '\n'))
	return errors.Join(err, f.Close())
}

func readLines[T any](name string) ([]T, error) {
	b, err := os.ReadFile(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read network: %w", err)
	}
	var out []T
	for sc := bufio.NewScanner(bytes.NewReader(b)); sc.Scan(); {
		var v T
		if err := json.Unmarshal(sc.Bytes(), &v); err != nil {
			return nil, fmt.Errorf("read %s: %w", filepath.Base(name), err)
		}
		out = append(out, v)
	}
	return out, nil
}
