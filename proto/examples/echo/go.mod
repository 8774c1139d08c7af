module github.com/openclaw/openclaw-supervisor/proto/examples/echo

go 1.26.0

replace github.com/openclaw/openclaw-supervisor/proto => ../..
