package config

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// describe says in words what a rule wants.
func describe(r *rule) string {
	switch {
	case len(r.AnyOf) > 0:
		parts := make([]string, len(r.AnyOf))
		for i, branch := range r.AnyOf {
			parts[i] = describe(branch)
		}
		return strings.Join(parts, " or ")
	case len(r.Enum) > 0:
		parts := make([]string, len(r.Enum))
		for i, value := range r.Enum {
			parts[i] = show(value, false)
		}
		if len(parts) == 1 {
			return parts[0]
		}
		return "one of " + strings.Join(parts, ", ")
	case len(r.Type) == 0:
		return "a value"
	}
	parts := make([]string, len(r.Type))
	for i, name := range r.Type {
		parts[i] = article(name)
	}
	text := strings.Join(parts, " or ")
	if r.Items != nil {
		text = "a list"
		if of := plural(r.Items); of != "" {
			text += " of " + of
		}
	}
	return text
}

func article(name string) string {
	switch name {
	case "integer":
		return "a whole number"
	case "object":
		return "an object { … }"
	case "array":
		return "a list [ … ]"
	case "boolean":
		return "true or false"
	}
	return "a " + name
}

func plural(r *rule) string {
	if len(r.Type) == 0 {
		return ""
	}
	parts := make([]string, len(r.Type))
	for i, name := range r.Type {
		switch name {
		case "integer":
			name = "whole number"
		case "boolean":
			name = "true/false value"
		}
		parts[i] = name + "s"
	}
	return strings.Join(parts, " or ")
}

// show writes a value for a message: short, and never a secret.
func show(value any, secret bool) string {
	switch v := value.(type) {
	case nil:
		return "null"
	case map[string]any:
		return "an object"
	case []any:
		return "a list"
	case bool:
		return strconv.FormatBool(v)
	case json.Number:
		if secret {
			return "a number"
		}
		return "the number " + v.String()
	case float64:
		return "the number " + plain(v)
	case string:
		if secret {
			return "a string"
		}
		runes := []rune(v)
		if len(runes) > 40 {
			return fmt.Sprintf("the string %q…", string(runes[:40]))
		}
		return fmt.Sprintf("%q", v)
	}
	return fmt.Sprintf("%v", value)
}

// remedyFor says how to write the value so that it fits, where that is plain.
func remedyFor(r *rule, value any) string {
	wants := func(name string) bool {
		for _, t := range r.Type {
			if t == name {
				return true
			}
		}
		return false
	}
	switch v := value.(type) {
	case string:
		trimmed := strings.TrimSpace(v)
		if _, err := strconv.ParseFloat(trimmed, 64); err == nil && (wants("integer") || wants("number")) {
			return "write it without quotes: " + trimmed
		}
		if (trimmed == "true" || trimmed == "false") && wants("boolean") {
			return "write it without quotes: " + trimmed
		}
		if wants("array") && !r.Sensitive {
			return fmt.Sprintf("write it as a list: [%q]", v)
		}
	case json.Number:
		if wants("string") {
			return "put it in quotes"
		}
	case bool:
		if wants("string") {
			return "put it in quotes"
		}
	}
	if def := r.defaultValue(); def != nil {
		text, err := json.Marshal(def)
		if err == nil {
			return "the default is " + string(text)
		}
	}
	return ""
}
