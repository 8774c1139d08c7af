package telegram

import (
	"net/http"
	"strings"
)

type file struct {
	path, mime string
	data       []byte
}

// AddFile makes bytes fetchable under a file_id. path is what getFile answers, such as "photos/a.jpg".
func (s *Server) AddFile(fileID, path, mime string, data []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.files == nil {
		s.files = map[string]file{}
	}
	s.files[fileID] = file{path: path, mime: mime, data: data}
}

// maxDownload is the largest file that the Bot API lets a bot fetch, in bytes.
const maxDownload = 20 << 20

func (s *Server) getFile(_ *Bot, p Params) (any, *apiError) {
	id := p.String("file_id")
	f, ok := s.files[id]
	switch {
	case !ok:
		return nil, badRequest("invalid file_id")
	case len(f.data) > maxDownload:
		return nil, badRequest("file is too big")
	}
	return Object{"file_id": id, "file_unique_id": "u" + id, "file_size": len(f.data), "file_path": f.path}, nil
}

func (s *Server) serveFile(w http.ResponseWriter, r *http.Request, rest string) {
	token, path, _ := strings.Cut(rest, "/")
	s.mu.Lock()
	known := s.known(token)
	var found *file
	for _, f := range s.files {
		if f.path == path {
			found = &f
		}
	}
	fault := s.fault("file", Params{})
	s.mu.Unlock()
	if fault != nil {
		if fault.Hold && !fault.wait(r) || fault.Delay > 0 && !pause(r, fault.Delay) {
			return
		}
		if fault.Status != 0 {
			http.Error(w, fault.Description, fault.Status)
			return
		}
		if fault.Break != NoBreak {
			cut(w, nil)
			return
		}
	}
	if !known || found == nil {
		http.NotFound(w, r)
		return
	}
	if found.mime != "" {
		w.Header().Set("Content-Type", found.mime)
	}
	_, _ = w.Write(found.data)
}
