"""An analyst fetches a document and creates a report: LumoAuth's Google ADK guide, runnable."""

import asyncio
import os

from google.adk.agents import Agent
from google.adk.runners import Runner
from google.adk.sessions import InMemorySessionService
from google.adk.tools import FunctionTool
from google.genai import types
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
jit.create_task(name="ADK document analysis task")


# 2. Tools that request permissions themselves
def fetch_document(document_id: str) -> dict:
    """Fetch a sensitive document. Requests the required permission itself."""
    return answer(
        jit.call_with_escalation(
            "GET",
            f"{documents_api}/v1/documents/{document_id}",
            justification=f"Reading {document_id} for user query",
        )
    )


def create_report(title: str, content: str) -> dict:
    """Create a report. Requests the required permission itself."""
    return answer(
        jit.call_with_escalation(
            "POST",
            f"{documents_api}/v1/reports",
            data={"title": title, "content": content},
            justification=f"Creating the report {title}",
        )
    )


def answer(response) -> dict:
    if response.status_code == 403:
        return {"error": f"permission {jit.refusal}"}
    if not response.ok:
        return {"error": f"the documents API answered {response.status_code}"}
    return {"result": response.text}


# 3. The agent
analyst = Agent(
    name="protected_data_analyst",
    model="gemini-2.0-flash",
    description="Fetches protected documents and creates reports.",
    instruction=(
        "You are a senior analyst. Fetch requested documents and create concise reports. "
        "Where you may not read something, you say so, and why."
    ),
    tools=[FunctionTool(fetch_document), FunctionTool(create_report)],
)


# 4. Run it; completing the task revokes every token, also when the agent fails
async def main():
    try:
        sessions = InMemorySessionService()
        session = await sessions.create_session(app_name="analyst", user_id="analyst_user")
        runner = Runner(agent=analyst, app_name="analyst", session_service=sessions)
        question = types.Content(
            role="user",
            parts=[
                types.Part.from_text(
                    text="Fetch document doc_9982, summarize it, "
                    "and create a report titled 'Q4 Analysis'."
                )
            ],
        )
        async for event in runner.run_async(
            user_id="analyst_user", session_id=session.id, new_message=question
        ):
            if event.is_final_response() and event.content:
                print(*[part.text for part in event.content.parts if part.text])
    finally:
        jit.complete_task()


asyncio.run(main())
