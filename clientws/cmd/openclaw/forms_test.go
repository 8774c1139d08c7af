package main

import (
	"errors"
	"io"
	"os"
	"testing"
)

// TestFormKeysLeavesTheNextKey: a form that is over takes no key, so that the next form has it.
func TestFormKeysLeavesTheNextKey(t *testing.T) {
	terminal, typist, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = terminal.Close() }()
	first, second := &formKeys{File: terminal}, &formKeys{File: terminal}
	if _, err := typist.WriteString("ab"); err != nil {
		t.Fatal(err)
	}
	_ = typist.Close()
	key := make([]byte, 1)
	if _, err := first.Read(key); err != nil || key[0] != 'a' {
		t.Fatalf("the form in view read %q, %v", key, err)
	}
	first.over.Store(true)
	if n, err := first.Read(key); n != 0 || !errors.Is(err, io.EOF) {
		t.Fatalf("the form that is over read %d bytes, %v", n, err)
	}
	if _, err := second.Read(key); err != nil || key[0] != 'b' {
		t.Errorf("the next form read %q, %v", key, err)
	}
}
