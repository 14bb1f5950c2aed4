package analyst

// Helpers for tests of an agent: one harness for all tests, one tenant a test.
// LUMOAUTH_HARNESS is the command that starts the harness; without it, the package of this project.

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

var control struct {
	Issuer string `json:"issuer"`
	Token  string `json:"control_token"`
}

func TestMain(m *testing.M) {
	os.Exit(runWithHarness(m))
}

// runWithHarness runs the tests while the harness runs on free ports.
func runWithHarness(m *testing.M) int {
	command := os.Getenv("LUMOAUTH_HARNESS")
	if command == "" {
		command = "node_modules/.bin/lumoauth-harness"
	}
	words := append(strings.Fields(command), "start", "--json", "--port", "0", "--api-port", "0")
	process := exec.Command(words[0], words[1:]...)
	process.Stderr = os.Stderr
	output, err := process.StdoutPipe()
	if err != nil {
		panic(err)
	}
	if err := process.Start(); err != nil {
		panic(err)
	}
	defer process.Wait()
	defer process.Process.Signal(syscall.SIGTERM)
	line, _ := bufio.NewReader(output).ReadBytes('\n')
	if err := json.Unmarshal(line, &control); err != nil {
		panic(fmt.Sprintf("%s: expected one line of JSON, received %q", command, line))
	}
	return m.Run()
}

// Tenant is a tenant of one test.
type Tenant struct {
	t    *testing.T
	name string
}

// newTenant creates a tenant, sets the environment of its first agent, and deletes it after the test.
func newTenant(t *testing.T, seed map[string]any) Tenant {
	t.Helper()
	var created struct {
		Tenant      string
		Environment map[string]string
	}
	call(t, http.MethodPost, "", seed, &created)
	tenant := Tenant{t, created.Tenant}
	t.Cleanup(func() { call(t, http.MethodDelete, "/"+tenant.name, nil, nil) })
	for name, value := range created.Environment {
		t.Setenv(name, value)
	}
	return tenant
}

// Advance moves the tenant's clock by an ISO 8601 duration, such as PT20M.
func (at Tenant) Advance(duration string) {
	at.t.Helper()
	call(at.t, http.MethodPost, "/"+at.name+"/clock", map[string]any{"advance": duration}, nil)
}

// Approver decides what the policy asks a person: approve, deny or ignore.
func (at Tenant) Approver(decision string) {
	at.t.Helper()
	call(at.t, http.MethodPut, "/"+at.name+"/approver", map[string]any{"decision": decision}, nil)
}

// Misbehave switches a misbehaviour on.
func (at Tenant) Misbehave(name string) {
	at.t.Helper()
	call(at.t, http.MethodPost, "/"+at.name+"/misbehaviours", map[string]any{"name": name}, nil)
}

// Journal returns the names of the events so far.
func (at Tenant) Journal() (types []string) {
	at.t.Helper()
	var journal struct{ Entries []struct{ Type string } }
	call(at.t, http.MethodGet, "/"+at.name+"/journal", nil, &journal)
	for _, entry := range journal.Entries {
		types = append(types, entry.Type)
	}
	return types
}

func call(t *testing.T, method, path string, body, into any) {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequest(method, control.Issuer+"/_harness/tenants"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if body != nil {
		request.Body = io.NopCloser(bytes.NewReader(text))
		request.ContentLength = int64(len(text))
	}
	request.Header.Set("Authorization", "Bearer "+control.Token)
	request.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	received, _ := io.ReadAll(answer.Body)
	if answer.StatusCode >= 300 {
		t.Fatalf("%s %s: %s: %s", method, path, answer.Status, received)
	}
	if into != nil {
		if err := json.Unmarshal(received, into); err != nil {
			t.Fatal(err)
		}
	}
}
