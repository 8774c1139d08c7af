package app

import (
	"io"
	"os"

	source "github.com/openclaw/openclaw-supervisor/clientws/config"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/config"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/worker"
)

// Options are what flags, environment and tests decide.
type Options struct {
	Version, Commit string
	Profile         string
	// AllowUnconfigured and Dev are the flags of those names.
	AllowUnconfigured, Dev, Verbose bool
	Port                            int
	Bind, AuthMode, Token, Password string
	// WorkersDir is where bundled workers lie; empty = beside the executable.
	WorkersDir string
	// Console takes what a person at the terminal is told; nil = nothing.
	Console io.Writer
	// Environ is the environment; nil = the process's.
	Environ source.Environ
	// Policy overrides figures of the workers' table, for tests.
	Policy worker.Policy
}

// devProfile is the profile that --dev uses.
const devProfile = "dev"

func (o Options) paths() (source.Environ, source.Paths, error) {
	env := o.Environ
	if env == nil {
		env = source.ProcessEnviron()
	}
	profile := o.Profile
	if o.Dev && profile == "" {
		profile = devProfile
	}
	paths, err := source.ResolvePaths(env, profile)
	return env, paths, err
}

func (o Options) configOptions(env source.Environ, paths source.Paths) config.Options {
	wd, err := os.Getwd()
	if err != nil {
		wd = ""
	}
	return config.Options{
		Paths: paths, Environ: env, WorkDir: wd, AllowUnconfigured: o.AllowUnconfigured, Dev: o.Dev, Version: o.Version,
		Overrides: config.Overrides{Port: o.Port, Bind: o.Bind, AuthMode: o.AuthMode, Token: o.Token, Password: o.Password, WorkersDir: o.WorkersDir},
	}
}

// policy is the workers' table with the configuration's figures laid over the defaults.
func (o Options) policy(s source.Supervisor) worker.Policy {
	p := o.Policy
	setMs(&p.BackoffFirst, s.Restart.InitialMs)
	setMs(&p.BackoffMax, s.Restart.MaxMs)
	setMs(&p.HalveEvery, s.Restart.DecayMs)
	setMs(&p.StartTimeout, s.StartTimeoutMs)
	setMs(&p.DrainTimeout, s.DrainTimeoutMs)
	setMs(&p.TermWait, s.TermGraceMs)
	setMs(&p.ProbeEvery, s.Health.ProbeMs)
	if p.MissedProbes == 0 {
		p.MissedProbes = s.Health.Misses
	}
	if p.QuickFailures == 0 {
		p.QuickFailures = s.Restart.QuickFailures
	}
	if p.Jitter == 0 {
		p.Jitter = s.Restart.Jitter
	}
	return p
}
