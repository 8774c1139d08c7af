package config

import (
	"slices"
	"strings"
)

// Nearest gives the known word that a person most likely meant, or "" when none is close: letters swapped, left out,
// added or mistaken, at most one in three.
func Nearest(word string, known []string) string {
	best, bestDistance := "", len(word)/3+2
	lower := strings.ToLower(word)
	sorted := slices.Clone(known)
	slices.Sort(sorted)
	for _, candidate := range sorted {
		d := editDistance(lower, strings.ToLower(candidate))
		if limit := max(len(word), len(candidate))/3 + 1; d < bestDistance && d <= limit {
			best, bestDistance = candidate, d
		}
	}
	return best
}

// editDistance counts insertions, deletions, replacements and swaps of neighbours.
func editDistance(a, b string) int {
	x, y := []rune(a), []rune(b)
	before, row := make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(x); i++ {
		next := make([]int, len(y)+1)
		next[0] = i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			next[j] = min(row[j]+1, next[j-1]+1, row[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				next[j] = min(next[j], before[j-2]+1)
			}
		}
		before, row = row, next
	}
	return row[len(y)]
}
