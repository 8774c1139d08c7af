package app

import (
	"io"
	"log/slog"

	source "github.com/openclaw/openclaw-supervisor/clientws/config"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/logfile"
)

// openLog opens the log file and makes the logger for both ends. An unwritable log
// file is said at the console and costs nothing else.
func openLog(o Options, c source.Logging, p source.Paths) (*slog.Logger, *logfile.Log) {
	fileLevel, _ := logfile.ParseLevel(c.Level)
	consoleLevel, _ := logfile.ParseLevel(c.ConsoleLevel)
	if o.Verbose {
		consoleLevel = slog.LevelDebug
	}
	file := c.File
	if file != "" {
		file = p.Expand(file)
	}
	opened, err := logfile.Open(logfile.Config{File: file})
	var lines io.Writer
	if err == nil {
		lines = opened
	}
	log := slog.New(logfile.NewHandler(logfile.Options{Lines: lines, Level: fileLevel, Console: o.Console, ConsoleLevel: consoleLevel}))
	if err != nil {
		log.Warn("no log file is written", "error", err)
	}
	return log, opened
}

// logPath implements gateway.LogFile.
type logPath struct{ log *logfile.Log }

// Path implements gateway.LogFile.
func (l logPath) Path() string {
	if l.log == nil {
		return ""
	}
	return l.log.Path()
}

func subsystem(log *slog.Logger, name string) *slog.Logger {
	return log.With(logfile.SubsystemKey, name)
}
