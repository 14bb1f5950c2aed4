// Package analyst is the code under test: an agent reads a document and asks for what is missing.
package analyst

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
)

// ErrDenied means that the policy or a person refused the permission, or that it waits for a person.
var ErrDenied = errors.New("the permission was not approved")

type agent struct {
	base, token, taskID string
}

// Read returns a document. It escalates once, and completes its task whatever happens.
func Read(documentID string) (body string, err error) {
	a := &agent{base: os.Getenv("LUMOAUTH_URL") + "/t/" + os.Getenv("LUMOAUTH_TENANT") + "/api/v1"}
	if err := a.authenticate(); err != nil {
		return "", err
	}
	task, err := a.post("/jit/task", map[string]any{"name": "Read " + documentID})
	if err != nil {
		return "", err
	}
	a.taskID, _ = task["task_id"].(string)
	defer func() {
		_, failed := a.post("/jit/task/"+a.taskID+"/complete", map[string]any{})
		err = errors.Join(err, failed)
	}()

	document := os.Getenv("DOCUMENTS_API_URL") + "/v1/documents/" + url.PathEscape(documentID)
	answer, err := get(document, a.token)
	if err != nil {
		return "", err
	}
	if challenge := answer.Header.Get("Insufficient-Authorization-Details"); challenge != "" {
		answer.Body.Close()
		jit, err := a.escalate(challenge, "To read "+documentID)
		if err != nil {
			return "", err
		}
		if answer, err = get(document, jit); err != nil {
			return "", err
		}
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return "", fmt.Errorf("reading %s: %s", documentID, answer.Status)
	}
	var read struct{ Body string }
	err = json.NewDecoder(answer.Body).Decode(&read)
	return read.Body, err
}

func (a *agent) authenticate() error {
	answer, err := http.PostForm(a.base+"/oauth/token", url.Values{
		"grant_type":    {"client_credentials"},
		"client_id":     {os.Getenv("AGENT_CLIENT_ID")},
		"client_secret": {os.Getenv("AGENT_CLIENT_SECRET")},
	})
	if err != nil {
		return err
	}
	token, err := decode(answer)
	a.token, _ = token["access_token"].(string)
	return err
}

// escalate asks for what a challenge names and returns the JIT token for it.
func (a *agent) escalate(challenge, why string) (string, error) {
	text, err := base64.StdEncoding.DecodeString(challenge)
	if err != nil {
		return "", fmt.Errorf("the challenge is not base64: %w", err)
	}
	request, err := a.post("/jit/request", map[string]any{
		"task_id":               a.taskID,
		"authorization_details": json.RawMessage(text),
		"justification":         why,
	})
	if err != nil {
		return "", err
	}
	if request["status"] != "approved" {
		return "", fmt.Errorf("%w: %v", ErrDenied, request["status"])
	}
	token, err := a.post(fmt.Sprintf("/jit/request/%v/token", request["request_id"]), map[string]any{})
	jit, _ := token["access_token"].(string)
	return jit, err
}

func (a *agent) post(path string, body any) (map[string]any, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequest(http.MethodPost, a.base+path, bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+a.token)
	request.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	return decode(answer)
}

func get(url, token string) (*http.Response, error) {
	request, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	return http.DefaultClient.Do(request)
}

func decode(answer *http.Response) (map[string]any, error) {
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	if err != nil {
		return nil, err
	}
	if answer.StatusCode >= 400 {
		return nil, fmt.Errorf("%s %s: %s", answer.Request.Method, answer.Request.URL.Path, answer.Status)
	}
	var body map[string]any
	return body, json.Unmarshal(text, &body)
}
