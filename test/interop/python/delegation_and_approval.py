"""What else the SDK can do: a human approves, denies or never answers; ask, me, on behalf of."""

import json
import os

from lumoauth import LumoAuthAgent
from lumoauth.jit import JITContext

import lumoauth.jit


def say(step, **what):
    print(json.dumps({"step": step, **what}), flush=True)


# The SDK polls every 5 s of real time; the harness need not be waited for.
lumoauth.jit.time.sleep = lambda seconds: None

agent = LumoAuthAgent()
agent.authenticate()

with JITContext(agent) as jit:
    jit.create_task(name="customer data", on_behalf_of=os.environ.get("ON_BEHALF_OF"))
    result = jit.request_permission(
        {"type": "user_data", "actions": ["read"], "identifier": "user:alice"},
        justification="Alice asked for her data",
    )
    say("asked", status=result["status"], risk=result["risk_level"], notes=result.get("deny_reason"))
    if result["status"] == "approved":
        say("token", length=len(jit.get_token(result["request_id"])) > 100)
