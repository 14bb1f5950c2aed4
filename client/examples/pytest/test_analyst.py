"""What a team tests of an agent before it may touch anything real."""

import pytest
import requests
from analyst import analyse
from lumoauth import LumoAuthAgent
from lumoauth.jit import JITContext

pytestmark = pytest.mark.usefixtures("agent_env")


@pytest.fixture
def seed():
    return {
        "documents": [
            {"id": "doc_9982", "title": "Q4", "classification": "confidential", "body": "Up 12 %."},
            {"id": "doc_person", "title": "HR", "classification": "restricted", "body": "Private."},
        ]
    }


def test_asks_for_what_is_missing_and_completes_its_task(journal):
    assert analyse("doc_9982") == (200, 201)
    assert journal().count("permission.requested") == 2
    assert journal()[-1] == "task.completed"


def test_gives_up_when_a_person_denies(approver, journal):
    approver("deny", reason="Not during the audit.")
    assert analyse("doc_person") == (403, None)
    assert "permission.denied" in journal()
    assert journal()[-1] == "task.completed"


def test_reads_when_a_person_approves(approver):
    approver("approve")
    assert analyse("doc_person") == (200, 201)


def test_completes_its_task_when_the_api_fails(misbehave, journal):
    misbehave("network-unavailable", seat="api")
    assert analyse("doc_9982") == (503, None)
    assert journal()[-1] == "task.completed"


def test_a_jit_token_expires(clock, agent_env):
    agent = LumoAuthAgent()
    agent.authenticate()
    jit = JITContext(agent)
    jit.create_task(name="Expiry")
    wanted = {"type": "file_access", "actions": ["read"], "identifier": "doc_9982"}
    asked = jit.request_permission(wanted, justification="To read doc_9982")
    token = jit.get_token(asked["request_id"])

    def status():
        url = f"{agent_env['DOCUMENTS_API_URL']}/v1/documents/doc_9982"
        headers = {"Authorization": f"Bearer {token}"}
        return requests.get(url, headers=headers, timeout=10).status_code

    assert status() == 200
    clock("PT16M")
    assert status() == 401
