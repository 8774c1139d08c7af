package logfile

import "regexp"

// secrets are the forms of credentials that must not stand in a log, whoever wrote the line.
var secrets = []*regexp.Regexp{
	regexp.MustCompile(`\d{6,}:[A-Za-z0-9_-]{30,}`),                                                                // Telegram bot tokens
	regexp.MustCompile(`\b(?:sk|pk|rk)-[A-Za-z0-9_-]{16,}`),                                                        // model providers
	regexp.MustCompile(`\bxox[abprs]-[A-Za-z0-9-]{10,}`),                                                           // Slack
	regexp.MustCompile(`\bgh[pousr]_[A-Za-z0-9]{20,}`),                                                             // GitHub
	regexp.MustCompile(`\bAIza[A-Za-z0-9_-]{30,}`),                                                                 // Google
	regexp.MustCompile(`(?i)\bbearer\s+[A-Za-z0-9._~+/-]{12,}=*`),                                                  // Authorization headers
	regexp.MustCompile(`(?i)\b(?:token|password|secret|apikey|api_key)["']?\s*[=:]\s*["']?[A-Za-z0-9._~+/-]{12,}`), // settings
	regexp.MustCompile(`(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----`),                // keys
}

// Redacted stands where a secret stood.
const Redacted = "***"

// Redact replaces what looks like a credential.
func Redact(s string) string {
	for _, re := range secrets {
		s = re.ReplaceAllString(s, Redacted)
	}
	return s
}
