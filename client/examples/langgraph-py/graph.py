"""An agent that corrects itself: LumoAuth's LangGraph guide, runnable.

A tool without permission returns the missing permission; the model requests exactly that with a second
tool, and tries again. Tokens stay in the state of the graph, never in a message.
"""

import base64
import json
import os
from typing import Annotated

os.environ.setdefault("LANGSMITH_TRACING", "false")

import requests
from langchain_core.messages import ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from lumoauth import LumoAuthAgent
from lumoauth.jit import JITContext
from typing_extensions import TypedDict

documents_api = os.environ["DOCUMENTS_API_URL"]

# 1. Authenticate, and open a task: the scope of all permissions granted below
agent_auth = LumoAuthAgent()
if not agent_auth.authenticate():
    raise SystemExit("LumoAuth did not accept the agent's credentials")
jit = JITContext(agent_auth)
jit.create_task(name="LangGraph document analysis")


class State(TypedDict):
    messages: Annotated[list, add_messages]
    jit_token: str


# 2. Tools as the model sees them; the model never receives a token
@tool
def fetch_protected_document(document_id: str) -> str:
    """Fetch a sensitive document. Without permission, it answers with the
    required_authorization_details to ask for."""


@tool
def request_jit_access(required_authorization_details_json: str, justification: str) -> str:
    """Ask for access, just in time. Pass the exact required_authorization_details
    of the tool that failed, as JSON."""


def fetch(token: str, document_id: str) -> str:
    response = requests.get(
        f"{documents_api}/v1/documents/{document_id}",
        headers={"Authorization": f"Bearer {token}"},
        timeout=30,
    )
    header = response.headers.get("Insufficient-Authorization-Details")
    if response.status_code == 403 and header:
        required = json.loads(base64.b64decode(header))
        return json.dumps({"error": "permission needed", "required_authorization_details": required})
    return response.text if response.ok else f"the documents API answered {response.status_code}"


def ask(required_authorization_details_json: str, justification: str) -> tuple[str, str | None]:
    decided = jit.request_permission(
        json.loads(required_authorization_details_json),
        justification=justification,
        poll_interval=float(os.environ.get("JIT_POLL_INTERVAL", "5")),
        poll_timeout=float(os.environ.get("JIT_POLL_TIMEOUT", "300")),
    )
    if decided["status"] == "approved":
        return "Access granted. Call the tool again.", jit.get_token(decided["request_id"])
    if decided["status"] == "pending":
        return "permission denied: no one decided in time", None
    reason = decided.get("review_notes") or decided.get("deny_reason") or "no reason given"
    return f"permission {decided['status']}: {reason}", None


# 3. The graph
llm = ChatOpenAI(model=os.environ.get("OPENAI_MODEL", "gpt-4o"), temperature=0).bind_tools(
    [fetch_protected_document, request_jit_access]
)


def agent(state: State):
    return {"messages": [llm.invoke(state["messages"])]}


def tools(state: State):
    token, answers = state["jit_token"], []
    for call in state["messages"][-1].tool_calls:
        if call["name"] == "fetch_protected_document":
            result = fetch(token or agent_auth.access_token, **call["args"])
        elif call["name"] == "request_jit_access":
            result, granted = ask(**call["args"])
            token = granted or token
        else:
            result = f"there is no tool {call['name']}"
        answers.append(ToolMessage(content=result, tool_call_id=call["id"]))
    return {"messages": answers, "jit_token": token}


def next_step(state: State):
    return "tools" if state["messages"][-1].tool_calls else END


graph = StateGraph(State)
graph.add_node("agent", agent)
graph.add_node("tools", tools)
graph.add_edge(START, "agent")
graph.add_conditional_edges("agent", next_step, ["tools", END])
graph.add_edge("tools", "agent")
app = graph.compile()

# 4. Run it; completing the task revokes every token, also when the graph fails
try:
    question = {"messages": [("user", "Summarize the confidential report doc_9982")], "jit_token": ""}
    for event in app.stream(question, stream_mode="values"):
        event["messages"][-1].pretty_print()
finally:
    jit.complete_task()
