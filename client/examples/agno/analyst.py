"""An analyst fetches a document and a financial summary: LumoAuth's Agno guide, runnable."""

import os

os.environ.setdefault("AGNO_TELEMETRY", "false")

from agno.agent import Agent
from agno.models.openai import OpenAIChat
from agno.tools import tool
from lumoauth import LumoAuthAgent
from lumoauth.jit import JITContext

documents_api = os.environ["DOCUMENTS_API_URL"]


class Jit(JITContext):
    """Stores why a request was refused, because `call_with_escalation` returns only the first 403."""

    refusal = "denied: the API did not say what it takes"

    def request_permission(self, *args, **options):
        options.setdefault("poll_interval", float(os.environ.get("JIT_POLL_INTERVAL", "5")))
        options.setdefault("poll_timeout", float(os.environ.get("JIT_POLL_TIMEOUT", "300")))
        decided = super().request_permission(*args, **options)
        if decided["status"] == "pending":
            self.refusal = "denied: no one decided in time"
        else:
            reason = decided.get("review_notes") or decided.get("deny_reason") or "no reason given"
            self.refusal = f"{decided['status']}: {reason}"
        return decided


# 1. Authenticate, and open a task: the scope of all permissions granted below
agent_auth = LumoAuthAgent()
if not agent_auth.authenticate():
    raise SystemExit("LumoAuth did not accept the agent's credentials")
jit = Jit(agent_auth)
jit.create_task(name="Agno document analysis task")


# 2. Tools that request permissions themselves
def get(path: str) -> str:
    response = jit.call_with_escalation(
        "GET", f"{documents_api}{path}", justification=f"Accessing {path}"
    )
    if response.status_code == 403:
        return f"permission {jit.refusal}"
    return response.text if response.ok else f"the documents API answered {response.status_code}"


@tool
def fetch_document(document_id: str) -> str:
    """Fetch a sensitive document. Requests the required permission itself."""
    return get(f"/v1/documents/{document_id}")


@tool
def fetch_financial_summary(report_id: str) -> str:
    """Fetch the summary of a financial report. Requests the required permission itself."""
    return get(f"/v1/reports/{report_id}/summary")


# 3. The agent
analyst = Agent(
    name="Protected Data Analyst",
    model=OpenAIChat(id=os.environ.get("OPENAI_MODEL", "gpt-4o")),
    tools=[fetch_document, fetch_financial_summary],
    instructions=[
        "You are a senior analyst.",
        "Fetch documents and financial summaries as requested.",
        "Where you may not read something, you say so, and why.",
    ],
    telemetry=False,
)

# 4. Run it; completing the task revokes every token, also when the agent fails
try:
    analyst.print_response(
        "Fetch document doc_9982 and the financial summary for report FY2024-Q4, "
        "then provide a combined executive summary."
    )
finally:
    jit.complete_task()
