"""Waits for a person without waiting in memory: `python waiting.py FILE`.

The first run suspends to FILE when a person has to decide, and ends; the same command goes on from FILE
once the person has decided. `human_input` of a CrewAI task blocks the process; a flow can pause.
"""

import json
import os
import sys

os.environ.setdefault("CREWAI_DISABLE_TELEMETRY", "true")
os.environ.setdefault("CREWAI_TRACING_ENABLED", "false")
os.environ.setdefault("CREWAI_DISABLE_VERSION_CHECK", "true")
os.environ.setdefault("OTEL_SDK_DISABLED", "true")

from crewai import LLM, Agent, Crew, Task
from crewai.flow.async_feedback import HumanFeedbackPending
from crewai.flow.flow import Flow, listen, start
from crewai.flow.human_feedback import human_feedback
from crewai.flow.persistence import SQLiteFlowPersistence
from crewai.tools import tool
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
    jit.create_task(name="CrewAI document analysis")


class AtTheIssuer:
    """A person decides on the approvals page of LumoAuth: pauses the flow if one has to."""

    def request_feedback(self, context, flow):
        if context.method_output["status"] != "pending":
            return context.method_output["status"]
        with open(file, "w") as target:
            kept = {"task_id": jit.task_id, "flow_id": context.flow_id}
            json.dump({**kept, "request_id": context.method_output["request_id"]}, target)
        raise HumanFeedbackPending(context=context)


class Analysis(Flow):
    @start()
    @human_feedback(message="Decide on the approvals page.", provider=AtTheIssuer())
    def ask(self):
        wanted = {"type": "user_data", "actions": ["read"], "identifier": "doc_9982"}
        asked = jit.request_permission(
            wanted, justification="Reading doc_9982 for user query", wait_for_approval=False
        )
        self.state["request_id"] = asked["request_id"]
        return {"status": asked["status"], "request_id": asked["request_id"]}

    @listen(ask)
    def analyse(self):
        request_id = stored["request_id"] if stored else self.state["request_id"]

        @tool
        def fetch_sensitive_document(document_id: str) -> str:
            """Fetch a sensitive document, by the permission that was decided."""
            try:
                token = jit.get_token(request_id)
            except Exception as refused:
                return f"permission denied: {refused}"
            return jit.call(token, "GET", f"{documents_api}/v1/documents/{document_id}").text

        @tool
        def write_analysis_report(title: str, content: str) -> str:
            """Write an analysis report. Asks for permission by itself."""
            report = {"title": title, "content": content}
            answer = jit.call_with_escalation("POST", f"{documents_api}/v1/reports", data=report)
            return answer.text if answer.ok else f"the documents API answered {answer.status_code}"

        analyst = Agent(
            role="Senior Analyst",
            goal="Retrieve and analyze confidential documents, then produce a report",
            backstory="Where you may not read something, you say so, and why.",
            tools=[fetch_sensitive_document, write_analysis_report],
            llm=LLM(model=os.environ.get("OPENAI_MODEL", "gpt-4o")),
        )
        task = Task(
            description="Fetch document doc_9982, analyze it, and write a concise analysis report.",
            expected_output="Confirmation that the analysis report was saved.",
            agent=analyst,
        )
        return str(Crew(agents=[analyst], tasks=[task]).kickoff())


persistence = SQLiteFlowPersistence(f"{file}.db")
suspended = False
try:
    if stored:
        print(Analysis.from_pending(stored["flow_id"], persistence).resume("decided"))
    else:
        result = Analysis(persistence=persistence).kickoff()
        suspended = isinstance(result, HumanFeedbackPending)
        print("suspended" if suspended else result)
finally:
    if not suspended:
        jit.complete_task()
        for left in (file, f"{file}.db"):
            if os.path.exists(left):
                os.remove(left)
