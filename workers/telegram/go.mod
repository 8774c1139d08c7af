module github.com/openclaw/openclaw-supervisor/workers/telegram

go 1.26.0

replace github.com/openclaw/openclaw-supervisor/proto => ../../proto

replace github.com/openclaw/openclaw-supervisor/workers/fakenet => ../fakenet
