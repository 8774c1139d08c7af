package protocol

// Methods of an agent's workspace files.
const (
	MethodAgentsFilesList = "agents.files.list"
	MethodAgentsFilesGet  = "agents.files.get"
	MethodAgentsFilesSet  = "agents.files.set"
)

// AgentFilesParams are the parameters of agents.files.list, .get (with Name) and .set (with Content too).
type AgentFilesParams struct {
	AgentID string `json:"agentId"`
	Name    string `json:"name,omitempty"`
	Content string `json:"content,omitempty"`
}

// AgentFile is one of an agent's workspace files. Size is in bytes.
type AgentFile struct {
	Name        string  `json:"name"`
	Path        string  `json:"path"`
	Missing     bool    `json:"missing"`
	Size        *int64  `json:"size,omitempty"`
	UpdatedAtMS *int64  `json:"updatedAtMs,omitempty"`
	Content     *string `json:"content,omitempty"`
}

// AgentFilesListResult is the result of agents.files.list.
type AgentFilesListResult struct {
	AgentID   string      `json:"agentId"`
	Workspace string      `json:"workspace"`
	Files     []AgentFile `json:"files"`
}

// AgentFileResult is the result of agents.files.get and, with OK, of agents.files.set.
type AgentFileResult struct {
	OK        *bool     `json:"ok,omitempty"`
	AgentID   string    `json:"agentId"`
	Workspace string    `json:"workspace"`
	File      AgentFile `json:"file"`
}
