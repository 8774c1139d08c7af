package journal

import (
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
)

func benchRow(n int64) InboxRow {
	return InboxRow{Channel: "net", Account: "default", EventKey: "m:" + strconv.FormatInt(n, 10), Kind: InboxMessage, Conversation: "c",
		Body: make([]byte, 300)}
}

// BenchmarkFsync is the disk's own figure: append 4 KiB to a file and sync it.
func BenchmarkFsync(b *testing.B) {
	f, err := os.Create(filepath.Join(b.TempDir(), "file"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	page := make([]byte, 4096)
	for b.Loop() {
		if _, err := f.Write(page); err != nil {
			b.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCommit is one row, one transaction, one caller.
func BenchmarkCommit(b *testing.B) {
	db := openTest(b)
	var n int64
	for b.Loop() {
		n++
		update(b, db, func(tx *Tx) error { _, _, err := tx.InsertInbox(benchRow(n)); return err })
	}
}

// BenchmarkGroupCommit is 100 callers of one row each; see rows/s.
func BenchmarkGroupCommit(b *testing.B) {
	db := openTest(b)
	var n atomic.Int64
	b.SetParallelism(100)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			row := benchRow(n.Add(1))
			if err := db.Update(b.Context(), func(tx *Tx) error { _, _, err := tx.InsertInbox(row); return err }); err != nil {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkSubmit is one caller that does not wait, as the inbox is for a network's burst.
func BenchmarkSubmit(b *testing.B) {
	db := openTest(b)
	window := make(chan struct{}, 256)
	var n int64
	for b.Loop() {
		n++
		row := benchRow(n)
		window <- struct{}{}
		db.Submit(func(tx *Tx) error { _, _, err := tx.InsertInbox(row); return err }, func(err error) {
			if err != nil {
				b.Error(err)
			}
			<-window
		})
	}
	for range cap(window) {
		window <- struct{}{}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
