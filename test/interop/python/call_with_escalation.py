"""Reads a document and writes a report, by nothing but the published SDK's `call_with_escalation`."""

import os

from lumoauth import LumoAuthAgent
from lumoauth.jit import JITContext

documents = os.environ["DOCUMENTS_API_URL"]
agent = LumoAuthAgent()
if not agent.authenticate():
    raise SystemExit("LumoAuth did not accept the agent's credentials")

with JITContext(agent) as jit:
    jit.create_task(name="Document analysis")
    read = jit.call_with_escalation(
        "GET",
        f"{documents}/v1/documents/doc_9982",
        justification="Need to read document doc_9982 for user query",
    )
    print(read.status_code)
    read.raise_for_status()
