"""Every public method of the published SDK, called once and its answer looked at. Prints one JSON line a method."""

import html
import inspect
import json
import os
import re

import lumoauth
import requests
from lumoauth import DelegationChain, JITContext, LumoAuth, LumoAuthAgent

E = os.environ
base = f"{E['LUMOAUTH_URL']}/orgs/{E['LUMOAUTH_ORG_ID']}/api/v1"
callback = "http://127.0.0.1/callback"
detail = {"type": "file_access", "actions": ["read"], "identifier": "doc_9982"}
waiting = {"type": "payment", "actions": ["initiate"], "identifier": "inv_1"}
OUT = {
    "ZanzibarResource": "zanzibar is out of scope",
    "AbacResource": "abac is out of scope",
    "AAuthClient": "AAuth is out of scope (501)",
}


def consent(url):
    """What a person does: chooses Alice, allows, and is sent back with a code."""
    page = requests.get(url, timeout=10)
    fields = {n: html.unescape(v) for n, v in re.findall(r'name="([^"]+)" value="([^"]*)"', page.text)}
    fields.update(user="alice@example.com", decision="allow")
    sent = requests.post(url.split("?")[0], data=fields, cookies=page.cookies, allow_redirects=False, timeout=10)
    return re.search(r"[?&]code=([^&]+)", sent.headers["location"]).group(1)


agent = LumoAuthAgent()
agent.authenticate()
sub = LumoAuthAgent(client_id="sub-bot", client_secret=E["SUB_SECRET"])
sub.authenticate()
alice, reviewer = E["ALICE"], E["REVIEWER"]
as_agent = LumoAuth(token_provider=lambda: agent.access_token)
as_alice = LumoAuth(token_provider=lambda: alice)
as_reviewer = LumoAuth(token_provider=lambda: reviewer)
secret = {"client_id": E["AGENT_CLIENT_ID"], "client_secret": E["AGENT_CLIENT_SECRET"]}
jit = JITContext(agent)
chain = DelegationChain(agent, redirect_uri=callback)
kept = {}


def keep(name, value):
    kept[name] = value
    return value


def code(scope="openid read:documents offline_access"):
    return consent(as_agent.auth.authorization_url(client_id=secret["client_id"], redirect_uri=callback, scope=scope))


def tokens():
    return as_agent.auth.exchange_code(code(), callback, **secret)


def raw_request(what=detail):
    task = as_agent.jit.create_task(name="raw")
    return task["task_id"], as_agent.jit.request(task["task_id"], what, justification="why", ttl=300)["request_id"]


def approval():
    return as_agent.approvals.create(task_id="t", reason="r", on_behalf_of="alice@example.com")["approval_token"]


def answer(token, how="approve"):
    requests.post(f"{base}/jit/{how}/{token}", json={}, headers={"Authorization": f"Bearer {alice}"}, timeout=10).raise_for_status()
    return token


def delegated(**more):
    chain.set_user_token("s", alice)
    return chain.exchange("s", **more)


def raises(call):
    try:
        call()
    except Exception as error:  # noqa: BLE001
        return type(error).__name__
    return None


def capability(name):
    class Tool(LumoAuthAgent):
        @lumoauth.require_capability(name)
        def run(self):
            return "ran"

    tool = Tool()
    tool.authenticate()
    return tool.run()


CALLS = {
    "LumoAuthAgent.access_token": lambda: agent.access_token.count(".") == 2,
    "LumoAuthAgent.token_scopes": lambda: "read:documents" in agent.token_scopes,
    "LumoAuthAgent.agent_info": lambda: agent.get_agent_info() and agent.agent_info["name"],
    "LumoAuthAgent.jit": lambda: agent.jit.create_task(name="n")["task_id"],
    "LumoAuthAgent.delegation": lambda: "/oauth/authorize" in agent.delegation.consent_url(client_id="x", redirect_uri=callback),
    "LumoAuthAgent.mcp": lambda: agent.mcp.get_token("https://mcp.example.com/mcp").count(".") == 2,
    "LumoAuthAgent.approvals": lambda: agent.approvals.get_status(approval())["status"] == "pending",
    "LumoAuthAgent.authenticate": lambda: agent.authenticate(["read:documents"]) and agent.authenticate(),
    "LumoAuthAgent.ensure_authenticated": lambda: agent.ensure_authenticated(),
    "LumoAuthAgent.get_agent_info": lambda: agent.get_agent_info()["agent_id"],
    "LumoAuthAgent.has_capability": lambda: agent.has_capability("read:documents") and not agent.has_capability("x"),
    "LumoAuthAgent.get_budget_status": lambda: isinstance(agent.get_budget_status(), dict),
    "LumoAuthAgent.is_budget_exhausted": lambda: agent.is_budget_exhausted() is False,
    "LumoAuthAgent.ask": lambda: agent.ask("read:documents")["decided_by"] == "capability",
    "LumoAuthAgent.is_allowed": lambda: agent.is_allowed("read:documents") and not agent.is_allowed("x:y"),
    "LumoAuthAgent.get_identity": lambda: agent.get_identity(),
    "LumoAuthAgent.api_request": lambda: agent.api_request("GET", f"{base}/agents/me").status_code == 200,
    "LumoAuthAgent.register": lambda: agent.register("Document Analyser", capabilities=["read:documents"])["name"] == "Document Analyser",
    "LumoAuthAgent.get_mcp_token": lambda: agent.get_mcp_token("https://mcp.example.com/mcp"),
    "JITContext.create_task": lambda: keep("task", jit.create_task(name="n", task_type="research")),
    "JITContext.request_permission": lambda: keep("request", jit.request_permission(detail)["request_id"]),
    "JITContext.get_token": lambda: keep("jit", jit.get_token(kept["request"])),
    "JITContext.call": lambda: jit.call(kept["jit"], "GET", f"{E['DOCUMENTS_API_URL']}/v1/documents/doc_9982").status_code == 200,
    "JITContext.call_with_escalation": lambda: jit.call_with_escalation("GET", f"{E['DOCUMENTS_API_URL']}/v1/documents/doc_9982").status_code == 200,
    "JITContext.list_pending_requests": lambda: isinstance(JITContext(_Bearer()).list_pending_requests(), list),
    "JITContext.evaluate_task": lambda: jit.evaluate_task(result="completed", notes="done")["task_id"],
    "JITContext.complete_task": lambda: jit.create_task(name="n") and jit.complete_task(),
    "JITContext.delegate_on_behalf_of": lambda: JITContext(agent).delegate_on_behalf_of(alice),
    "DelegationChain.get_consent_url": lambda: "/oauth/authorize" in chain.get_consent_url("a"),
    "DelegationChain.handle_consent_callback": lambda: chain.handle_consent_callback("a", consent(chain.get_consent_url("a"))),
    "DelegationChain.set_user_token": lambda: chain.set_user_token("s", alice) is None,
    "DelegationChain.exchange": lambda: delegated().count(".") == 2,
    "DelegationChain.request": lambda: delegated() and chain.request("s", "GET", f"{base}/oauth/userinfo").status_code == 200,
    "DelegationChain.delegate_to_sub_agent": lambda: delegated() and chain.delegate_to_sub_agent("s", sub.access_token).count(".") == 2,
    "DelegationChain.parse_actor_chain": lambda: chain.parse_actor_chain(delegated()) == ["agent:report-bot"],
    "DelegationChain.get_subject": lambda: chain.get_subject(delegated()) == "user:alice",
    "DelegationChain.active_sessions": lambda: delegated() and "s" in (chain.active_sessions() if callable(chain.active_sessions) else chain.active_sessions),
    "DelegationChain.has_delegation": lambda: delegated() and chain.has_delegation("s"),
    "DelegationChain.revoke": lambda: delegated() and chain.revoke("s"),
    "DelegationChain.revoke_all": lambda: chain.revoke_all() is None,
    "AuthResource.authorization_url": lambda: "client_id=" in as_agent.auth.authorization_url(client_id="c", redirect_uri=callback),
    "AuthResource.exchange_code": lambda: keep("tokens", tokens())["access_token"],
    "AuthResource.refresh_token": lambda: keep("tokens", as_agent.auth.refresh_token(kept["tokens"]["refresh_token"], **secret))["access_token"],
    "AuthResource.userinfo": lambda: as_agent.auth.userinfo(kept["tokens"]["access_token"])["sub"] == "user:alice",
    "AuthResource.revoke": lambda: as_agent.auth.revoke(kept["tokens"]["access_token"], **secret) or True,
    "AuthResource.client_credentials": lambda: as_agent.auth.client_credentials(secret["client_id"], secret["client_secret"])["access_token"],
    "AuthResource.token_exchange": lambda: as_agent.auth.token_exchange(alice, actor_token=agent.access_token)["access_token"],
    "PermissionsResource.check": lambda: as_alice.permissions.check("document.read") and not as_alice.permissions.check("x"),
    "PermissionsResource.check_detailed": lambda: as_alice.permissions.check_detailed("document.read")["allowed"],
    "PermissionsResource.check_bulk": lambda: as_alice.permissions.check_bulk(["document.read", "x"]),
    "PermissionsResource.check_any": lambda: as_alice.permissions.check_any(["document.read", "x"]),
    "PermissionsResource.check_all": lambda: not as_alice.permissions.check_all(["document.read", "x"]),
    "PermissionsResource.check_any_detailed": lambda: as_alice.permissions.check_any_detailed(["document.read", "x"])["permissions"],
    "PermissionsResource.check_all_detailed": lambda: as_alice.permissions.check_all_detailed(["document.read"])["permissions"],
    "PermissionsResource.list": lambda: as_alice.permissions.list()["count"] == 1,
    "PermissionsResource.list_slugs": lambda: as_alice.permissions.list_slugs() == {"document.read"},
    "AgentsResource.ask": lambda: as_agent.agents.ask("read:documents")["allowed"],
    "AgentsResource.is_allowed": lambda: as_agent.agents.is_allowed("read:documents"),
    "AgentsResource.me": lambda: as_alice.agents.me()["capabilities"] == [] and as_agent.agents.me()["capabilities"],
    "AgentsResource.get_current": lambda: as_agent.agents.get_current()["capabilities"],
    "AgentsResource.info": lambda: as_agent.agents.info()["name"],
    "AgentsResource.capabilities": lambda: "read:documents" in as_agent.agents.capabilities(),
    "AgentsResource.budget": lambda: isinstance(as_agent.agents.budget(), dict),
    "AgentsResource.register": lambda: as_agent.agents.register("Research assistant", client_id="research-bot")["name"] == "Research assistant",
    "DelegationResource.consent_url": lambda: "client_id=" in as_agent.delegation.consent_url(client_id="c", redirect_uri=callback),
    "DelegationResource.exchange_code": lambda: keep("user", as_agent.delegation.exchange_code(code(), callback, **secret))["access_token"],
    "DelegationResource.refresh_user_token": lambda: keep("user", as_agent.delegation.refresh_user_token(kept["user"]["refresh_token"], **secret))["access_token"],
    "DelegationResource.exchange": lambda: as_agent.delegation.exchange(alice, agent.access_token)["access_token"],
    "DelegationResource.revoke": lambda: as_agent.delegation.revoke(kept["user"]["refresh_token"], **secret) or True,
    "DelegationResource.parse_actor_chain": lambda: as_agent.delegation.parse_actor_chain(delegated()) == ["agent:report-bot"],
    "DelegationResource.get_subject": lambda: as_agent.delegation.get_subject(delegated()) == "user:alice",
    "JitResource.create_task": lambda: as_agent.jit.create_task(name="n", on_behalf_of="alice@example.com")["task_id"],
    "JitResource.request": lambda: raw_request()[1],
    "JitResource.get_status": lambda: as_agent.jit.get_status(raw_request()[1])["status"] == "approved",
    "JitResource.get_token": lambda: as_agent.jit.get_token(raw_request()[1])["access_token"],
    "JitResource.pending": lambda: raw_request(waiting) and len(as_reviewer.jit.pending()) > 0,
    "JitResource.evaluate_task": lambda: as_agent.jit.evaluate_task(raw_request()[0], result="failed")["task_id"],
    "JitResource.complete_task": lambda: as_agent.jit.complete_task(raw_request()[0]) is not False,
    "ApprovalsResource.create": lambda: approval(),
    "ApprovalsResource.get_status": lambda: type(as_agent.approvals.get_status(answer(approval()))["approved_by"]["user_id"]) is int,
    "ApprovalsResource.wait": lambda: as_agent.approvals.wait(answer(approval()), poll_interval_s=0.1, timeout_s=5),
    "ApprovalsResource.require": lambda: as_agent.approvals.require(task_id="t", reason="r", on_behalf_of="alice@example.com", poll_interval_s=0.1, timeout_s=0.3),
    "McpResource.get_token": lambda: as_agent.mcp.get_token("https://mcp.example.com/mcp").count(".") == 2,
    "McpResource.get_token_detailed": lambda: as_agent.mcp.get_token_detailed("https://mcp.example.com/mcp")["access_token"],
    "require_approval": lambda: lumoauth.require_approval(agent, task_id="t", reason="r", on_behalf_of="alice@example.com", poll_interval_s=0.1, timeout_s=0.3),
    "require_capability": lambda: capability("read:documents") == "ran" and raises(lambda: capability("x")),
}


class _Bearer:
    """A person who reviews, where the SDK expects any bearer of a token."""

    base_url, org_id, access_token = E["LUMOAUTH_URL"], E["LUMOAUTH_ORG_ID"], reviewer

    def ensure_authenticated(self):
        return True


def public(cls):
    for name, member in inspect.getmembers(cls):
        if not name.startswith("_") and (inspect.isroutine(member) or isinstance(member, property)):
            yield f"{cls.__name__}.{name}"


client = as_agent
classes = [LumoAuthAgent, JITContext, DelegationChain, lumoauth.AAuthClient]
classes += [type(v) for v in vars(client).values() if type(v).__module__.startswith("lumoauth.resources")]
methods = list(dict.fromkeys(m for cls in classes for m in public(cls))) + ["require_approval", "require_capability"]
# In the order of the table: some calls go on where others have left off.
order = list(CALLS)
for method in sorted(methods, key=lambda m: order.index(m) if m in order else len(order)):
    reason = OUT.get(method.split(".")[0])
    if reason:
        print(json.dumps({"method": method, "result": "out of scope", "why": reason}))
    elif method not in CALLS:
        print(json.dumps({"method": method, "result": "not called"}))
    else:
        try:
            got = CALLS[method]()
            print(json.dumps({"method": method, "result": "ok"} if got else {"method": method, "result": "wrong", "why": repr(got)}))
        except Exception as error:  # noqa: BLE001
            print(json.dumps({"method": method, "result": "failed", "why": f"{type(error).__name__}: {error}"[:300]}))
