module github.com/openclaw/openclaw-supervisor/workers/telegram

go 1.26.0

require (
	github.com/mymmrac/telego v1.6.0
	github.com/openclaw/openclaw-supervisor/proto v0.0.0
	github.com/openclaw/openclaw-supervisor/workers/fakenet v0.0.0
)

replace github.com/openclaw/openclaw-supervisor/proto => ../../proto

replace github.com/openclaw/openclaw-supervisor/workers/fakenet => ../fakenet
