module github.com/openclaw/openclaw-supervisor/supervisor/e2e

go 1.26.0

require (
	github.com/coder/websocket v1.8.15
	modernc.org/sqlite v1.61.1
)

require (
	github.com/dustin/go-humanize v1.1.0 // indirect
	github.com/google/uuid v1.6.0 // indirect
	github.com/mattn/go-isatty v0.0.24 // indirect
	github.com/ncruces/go-strftime v1.1.0 // indirect
	github.com/openclaw/openclaw-supervisor/clientws v0.0.0
	github.com/openclaw/openclaw-supervisor/workers/fakenet v0.0.0
	github.com/remyoudompheng/bigfft v0.0.0-20230129092748-24d4a6f8daec // indirect
	golang.org/x/sys v0.50.0 // indirect
	modernc.org/libc v1.79.0 // indirect
	modernc.org/mathutil v1.7.1 // indirect
	modernc.org/memory v1.12.1 // indirect
)

replace github.com/openclaw/openclaw-supervisor/clientws => ../../clientws

replace github.com/openclaw/openclaw-supervisor/workers/fakenet => ../../workers/fakenet

replace github.com/openclaw/openclaw-supervisor/proto => ../../proto

replace github.com/google/pprof => github.com/google/pprof v0.0.0-20260906184651-6331bc6350fe
