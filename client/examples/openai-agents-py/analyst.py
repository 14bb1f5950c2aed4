"""An analyst fetches a document and saves a summary: LumoAuth's OpenAI Agents guide, runnable."""

import asyncio
import os

from agents import Agent, Runner, function_tool, set_tracing_disabled
from lumoauth import LumoAuthAgent
from lumoauth.jit import JITContext

set_tracing_disabled(True)
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
jit.create_task(name="OpenAI Agents document task")


# 2. Tools that request permissions themselves
@function_tool
def fetch_protected_document(document_id: str) -> str:
    """Fetch a sensitive document. Requests the required permission itself."""
    response = jit.call_with_escalation(
        "GET",
        f"{documents_api}/v1/documents/{document_id}",
        justification=f"Fetching document {document_id} for user query",
    )
    return response.text if response.ok else told(response)


@function_tool
def summarize_and_save(document_id: str, summary: str) -> str:
    """Save a summary of a document. Requests the required permission itself."""
    response = jit.call_with_escalation(
        "POST",
        f"{documents_api}/v1/documents/{document_id}/summaries",
        data={"text": summary},
        justification=f"Saving summary for document {document_id}",
    )
    return "Summary saved." if response.ok else told(response)


def told(response) -> str:
    if response.status_code == 403:
        return f"permission {jit.refusal}"
    return f"the documents API answered {response.status_code}"


# 3. The agent
analyst = Agent(
    name="Document Analyst",
    instructions=(
        "You are a helpful analyst. Fetch documents and produce concise summaries. "
        "Where you may not read something, you say so, and why."
    ),
    tools=[fetch_protected_document, summarize_and_save],
    model=os.environ.get("OPENAI_MODEL", "gpt-4o"),
)


# 4. Run it; completing the task revokes every token, also when the agent fails
async def main():
    try:
        result = await Runner.run(
            analyst,
            "Fetch document doc_9982, summarize it in two sentences, and save the summary.",
        )
        print(result.final_output)
    finally:
        jit.complete_task()


asyncio.run(main())
