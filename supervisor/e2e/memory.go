package e2e

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// weight is memory in MiB: pss shares what several processes map, dirty is what only this costs.
type weight struct{ pss, dirty float64 }

// weighProcess reads a process's memory from the kernel.
func weighProcess(pid int) (weight, error) {
	var w weight
	f, err := os.Open(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return w, err
	}
	defer func() { _ = f.Close() }()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 2 {
			continue
		}
		kib, err := strconv.ParseFloat(fields[1], 64)
		if err != nil {
			continue
		}
		switch fields[0] {
		case "Pss:":
			w.pss = kib / 1024
		case "Private_Dirty:":
			w.dirty = kib / 1024
		}
	}
	return w, lines.Err()
}
