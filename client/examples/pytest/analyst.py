"""The code under test: an agent reads a document and reports on it, by LumoAuth's SDK."""

import os

from lumoauth import LumoAuthAgent
from lumoauth.jit import JITContext


def analyse(document_id):
    """Returns the status codes of reading and of writing. Completes its task, whatever happens."""
    agent = LumoAuthAgent()
    if not agent.authenticate():
        raise PermissionError("the client credentials are wrong")
    documents = os.environ["DOCUMENTS_API_URL"]
    jit = JITContext(agent)
    jit.create_task(name=f"Analysis of {document_id}")
    try:
        read = jit.call_with_escalation("GET", f"{documents}/v1/documents/{document_id}")
        if read.status_code != 200:
            return read.status_code, None
        report = {"title": "Analysis", "content": read.json()["body"], "document_ids": [document_id]}
        written = jit.call_with_escalation("POST", f"{documents}/v1/reports", data=report)
        return read.status_code, written.status_code
    finally:
        jit.complete_task()
