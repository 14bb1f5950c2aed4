package analyst

import (
	"errors"
	"slices"
	"testing"
)

var seed = map[string]any{
	"documents": []map[string]any{
		{"id": "doc_9982", "title": "Q4", "classification": "confidential", "body": "Up 12 %."},
		{"id": "doc_person", "title": "HR", "classification": "restricted", "body": "Private."},
	},
}

func TestAsksForWhatIsMissingAndCompletesItsTask(t *testing.T) {
	tenant := newTenant(t, seed)

	body, err := Read("doc_9982")

	if err != nil || body != "Up 12 %." {
		t.Fatalf("expected the document, received %q, %v", body, err)
	}
	expectEvents(t, tenant, "permission.approved", "token.issued", "task.completed")
}

func TestGivesUpWhenAPersonMustDecide(t *testing.T) {
	tenant := newTenant(t, seed)
	tenant.Approver("deny")

	_, err := Read("doc_person")

	if !errors.Is(err, ErrDenied) {
		t.Fatalf("expected ErrDenied, received %v", err)
	}
	expectEvents(t, tenant, "permission.requested", "task.completed")
}

func TestCompletesItsTaskWhenTheChallengeIsMissing(t *testing.T) {
	tenant := newTenant(t, seed)
	tenant.Misbehave("api-challenge-missing")

	_, err := Read("doc_9982")

	if err == nil {
		t.Fatal("expected an error without a challenge")
	}
	expectEvents(t, tenant, "task.completed")
}

func TestUsesTheClockOfTheTenant(t *testing.T) {
	tenant := newTenant(t, seed)
	if _, err := Read("doc_9982"); err != nil {
		t.Fatal(err)
	}

	tenant.Advance("PT2H")

	if _, err := Read("doc_9982"); err != nil {
		t.Fatalf("expected a fresh token two hours later: %v", err)
	}
}

func expectEvents(t *testing.T, tenant Tenant, expected ...string) {
	t.Helper()
	journal := tenant.Journal()
	for _, event := range expected {
		if !slices.Contains(journal, event) {
			t.Errorf("expected the event %s in %v", event, journal)
		}
	}
}
