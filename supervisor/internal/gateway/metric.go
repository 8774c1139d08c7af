package gateway

import (
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
)

const namespace = "openclaw"

// metrics are what the control plane counts.
type metrics struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec

	refused, refusedConns, slow prometheus.Counter
}

func newMetrics(reg prometheus.Registerer, s *Server) (*metrics, error) {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: namespace, Name: "rpc_requests_total", Help: "Replies of the control plane by method and outcome.",
		}, []string{"method", "code"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: namespace, Name: "rpc_seconds", Help: "Time from a request to its reply.",
			Buckets: []float64{.00005, .0002, .001, .005, .02, .1, .5, 2, 10, 60},
		}, []string{"method"}),
		refused: prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: namespace, Name: "rpc_refused_total", Help: "Requests that were refused before a method was found.",
		}),
		refusedConns: prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: namespace, Name: "ws_refused_total", Help: "Connections that were turned away in the handshake.",
		}),
		slow: prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: namespace, Name: "ws_slow_total", Help: "Connections that were closed because they did not read.",
		}),
	}
	clients := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: namespace, Name: "ws_clients", Help: "Connections past the handshake.",
	}, func() float64 { return float64(s.Clients()) })
	all := []prometheus.Collector{m.requests, m.seconds, m.refused, m.refusedConns, m.slow, clients}
	if s.cfg.Backends.Workers != nil {
		all = append(all, &workerCollector{s.cfg.Backends.Workers})
	}
	for _, c := range all {
		if err := reg.Register(c); err != nil {
			return nil, fmt.Errorf("register metric: %w", err)
		}
	}
	return m, nil
}

// methodMeter holds the counters of one method, found once.
type methodMeter struct {
	ok, failed prometheus.Counter
	seconds    prometheus.Observer
}

func (m *metrics) method(name string) *methodMeter {
	return &methodMeter{
		ok: m.requests.WithLabelValues(name, "ok"), failed: m.requests.WithLabelValues(name, "error"),
		seconds: m.seconds.WithLabelValues(name),
	}
}

func (m *methodMeter) done(started time.Time, failure *protocol.Error) {
	if failure == nil {
		m.ok.Inc()
	} else {
		m.failed.Inc()
	}
	m.seconds.Observe(time.Since(started).Seconds())
}

// workerCollector tells the state of the workers when it is asked.
type workerCollector struct{ workers Workers }

var (
	workerUp       = prometheus.NewDesc(namespace+"_worker_up", "Whether the worker is running.", []string{"worker"}, nil)
	workerRestarts = prometheus.NewDesc(namespace+"_worker_restarts_total", "Restarts of the worker.", []string{"worker"}, nil)
	workerUptime   = prometheus.NewDesc(namespace+"_worker_uptime_seconds", "How long the worker has been running.", []string{"worker"}, nil)
)

// Describe is part of prometheus.Collector.
func (c *workerCollector) Describe(ch chan<- *prometheus.Desc) {
	ch <- workerUp
	ch <- workerRestarts
	ch <- workerUptime
}

// Collect is part of prometheus.Collector.
func (c *workerCollector) Collect(ch chan<- prometheus.Metric) {
	for _, w := range c.workers.List() {
		up := 0.0
		if w.State == protocol.WorkerRunning {
			up = 1
		}
		ch <- prometheus.MustNewConstMetric(workerUp, prometheus.GaugeValue, up, w.ID)
		ch <- prometheus.MustNewConstMetric(workerRestarts, prometheus.CounterValue, float64(w.Restarts), w.ID)
		ch <- prometheus.MustNewConstMetric(workerUptime, prometheus.GaugeValue, float64(w.UptimeMS)/1000, w.ID)
	}
}
