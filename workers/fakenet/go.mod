module github.com/openclaw/openclaw-supervisor/workers/fakenet

go 1.26.0

replace github.com/openclaw/openclaw-supervisor/proto => ../../proto
