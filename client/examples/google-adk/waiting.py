"""Waits for a person without waiting in memory: `python waiting.py FILE`.

The first run suspends to FILE when a person has to decide, and ends; the same command goes on from FILE
once the person has decided. A long-running tool of ADK returns `pending`; its answer comes later.
"""

import asyncio
import json
import os
import sys

from google.adk.agents import Agent
from google.adk.runners import Runner
from google.adk.sessions import InMemorySessionService, Session
from google.adk.tools import FunctionTool, LongRunningFunctionTool
from google.genai import types
from lumoauth import LumoAuthAgent
from lumoauth.jit import JITContext

file = sys.argv[1] if len(sys.argv) > 1 else "waiting.json"
documents_api = os.environ["DOCUMENTS_API_URL"]
stored = None
if os.path.exists(file):
    with open(file) as source:
        stored = json.load(source)

agent_auth = LumoAuthAgent()
if not agent_auth.authenticate():
    raise SystemExit("LumoAuth did not accept the agent's credentials")
jit = JITContext(agent_auth)
if stored:
    jit.task_id = stored["task_id"]
else:
    jit.create_task(name="ADK document analysis task")


def fetch_sensitive_document(document_id: str) -> dict:
    """Fetch a sensitive document. Where a person has to decide, the answer comes later."""
    wanted = {"type": "user_data", "actions": ["read"], "identifier": document_id}
    asked = jit.request_permission(
        wanted, justification=f"Reading {document_id}", wait_for_approval=False
    )
    if asked["status"] == "pending":
        return {"status": "pending", "request_id": asked["request_id"], "document_id": document_id}
    return read(asked["request_id"], document_id)


def read(request_id: str, document_id: str) -> dict:
    """The document, by a permission that was decided."""
    try:
        token = jit.get_token(request_id)
    except Exception as refused:
        return {"error": f"permission denied: {refused}"}
    return {"result": jit.call(token, "GET", f"{documents_api}/v1/documents/{document_id}").text}


def write_analysis_report(title: str, content: str) -> dict:
    """Write a report. Asks for permission by itself."""
    report = {"title": title, "content": content}
    answer = jit.call_with_escalation("POST", f"{documents_api}/v1/reports", data=report)
    return {"result": answer.text} if answer.ok else {"error": f"answered {answer.status_code}"}


analyst = Agent(
    name="protected_data_analyst",
    model="gemini-2.0-flash",
    instruction="You fetch requested documents and create concise reports.",
    tools=[LongRunningFunctionTool(fetch_sensitive_document), FunctionTool(write_analysis_report)],
)
names = {"app_name": "analyst", "user_id": "analyst_user"}


async def main() -> bool:
    """Returns whether a person has to decide first."""
    sessions = InMemorySessionService()
    session = await sessions.create_session(**names, session_id="analysis")
    message = types.Content(
        role="user",
        parts=[types.Part.from_text(text="Fetch document doc_9982 and report on it.")],
    )
    if stored:
        for event in Session.model_validate(stored["session"]).events:
            await sessions.append_event(session, event)
        waiting = stored["waiting"]
        result = read(waiting["request_id"], waiting["document_id"])
        answer = types.FunctionResponse(
            id=stored["call_id"], name="fetch_sensitive_document", response=result
        )
        message = types.Content(role="user", parts=[types.Part(function_response=answer)])

    runner = Runner(agent=analyst, app_name="analyst", session_service=sessions)
    run = runner.run_async(user_id="analyst_user", session_id="analysis", new_message=message)
    async for event in run:
        for response in event.get_function_responses():
            if (response.response or {}).get("status") == "pending":
                await run.aclose()
                kept = await sessions.get_session(**names, session_id="analysis")
                with open(file, "w") as target:
                    json.dump(
                        {
                            "task_id": jit.task_id,
                            "waiting": response.response,
                            "call_id": response.id,
                            "session": kept.model_dump(mode="json"),
                        },
                        target,
                    )
                return True
        if event.is_final_response() and event.content:
            print(*[part.text for part in event.content.parts if part.text])
    return False


suspended = False
try:
    suspended = asyncio.run(main())
finally:
    if suspended:
        print("suspended")
    else:
        jit.complete_task()
        if os.path.exists(file):
            os.remove(file)
