"""An analyst reads a confidential document and writes a report: LumoAuth's CrewAI guide, runnable.

The agent starts without permission for either. Each tool requests the permission for its call, and
completing the task revokes every token, also when the crew fails.
"""

import os
import signal
import sys

os.environ.setdefault("CREWAI_DISABLE_TELEMETRY", "true")
os.environ.setdefault("CREWAI_TRACING_ENABLED", "false")
os.environ.setdefault("CREWAI_DISABLE_VERSION_CHECK", "true")
os.environ.setdefault("OTEL_SDK_DISABLED", "true")

from crewai import LLM, Agent, Crew, Task
from crewai.tools import tool
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
jit.create_task(name="CrewAI document analysis")


# 2. Tools that request permissions themselves
@tool
def fetch_sensitive_document(document_id: str) -> str:
    """Fetch a sensitive document. Requests the required permission itself; a person may have to approve it."""
    response = jit.call_with_escalation(
        "GET",
        f"{documents_api}/v1/documents/{document_id}",
        justification=f"Need to read document {document_id} for user query",
    )
    return response.text if response.ok else told(response)


@tool
def write_analysis_report(title: str, content: str) -> str:
    """Write an analysis report. Requests the required permission itself."""
    response = jit.call_with_escalation(
        "POST",
        f"{documents_api}/v1/reports",
        data={"title": title, "content": content},
        justification="Writing analysis report for completed task",
    )
    return "Report created successfully." if response.ok else told(response)


def told(response) -> str:
    if response.status_code == 403:
        return f"permission {jit.refusal}"
    return f"the documents API answered {response.status_code}"


# 3. The crew
analyst = Agent(
    role="Senior Analyst",
    goal="Retrieve and analyze confidential documents, then produce a report",
    backstory="You are a senior analyst. Where you may not read something, you say so, and why.",
    tools=[fetch_sensitive_document, write_analysis_report],
    llm=LLM(model=os.environ.get("OPENAI_MODEL", "gpt-4o")),
    verbose=True,
)

analysis = Task(
    description="Fetch document doc_9982, analyze it, and write a concise analysis report.",
    expected_output="Confirmation that the analysis report was saved.",
    agent=analyst,
)

crew = Crew(agents=[analyst], tasks=[analysis], verbose=True)

# 4. Run it; completing the task revokes every token, also when the crew fails or is interrupted
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
try:
    print(crew.kickoff())
finally:
    jit.complete_task()
