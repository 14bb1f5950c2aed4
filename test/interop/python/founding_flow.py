"""The founding flow with the published SDK, as its README writes it. Prints one JSON line a step."""

import json
import os

import requests
from lumoauth import LumoAuthAgent
from lumoauth.jit import JITContext

documents = os.environ["DOCUMENTS_API_URL"]


def say(step, **what):
    print(json.dumps({"step": step, **what}), flush=True)


agent = LumoAuthAgent()
say("authenticate", ok=agent.authenticate(), scopes=agent.token_scopes)
say("info", name=agent.get_agent_info().get("name"), can_read=agent.has_capability("read:documents"))

jit = JITContext(agent)
task_id = jit.create_task(name="CrewAI document analysis")
say("task", prefix=task_id.split("_")[0])

refused = requests.get(
    f"{documents}/v1/documents/doc_9982",
    headers={"Authorization": f"Bearer {agent.access_token}"},
    timeout=10,
)
say("refused", status=refused.status_code, header="Insufficient-Authorization-Details" in refused.headers)

tokens = []
original = jit.get_token


def remember(request_id):
    tokens.append(original(request_id))
    return tokens[-1]


jit.get_token = remember
read = jit.call_with_escalation("GET", f"{documents}/v1/documents/doc_9982")
say("read", status=read.status_code, title=read.json().get("title"))

written = jit.call_with_escalation(
    "POST",
    f"{documents}/v1/reports",
    data={"title": "Q4 analysis", "content": "Revenue rose.", "document_ids": ["doc_9982"]},
)
say("write", status=written.status_code, title=written.json().get("title"))

say("complete", ok=jit.complete_task())
after = [
    requests.get(
        f"{documents}/v1/documents/doc_9982",
        headers={"Authorization": f"Bearer {token}"},
        timeout=10,
    ).status_code
    for token in tokens
]
say("after", statuses=after)
