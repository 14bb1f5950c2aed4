"""Fixtures for tests of an agent: one harness a session, one tenant a test.

LUMOAUTH_HARNESS is the command that starts the harness; without it, the package of this project.
"""

import json
import os
import shlex
import subprocess
import urllib.error
import urllib.request

import pytest

command = os.environ.get("LUMOAUTH_HARNESS", "node_modules/.bin/lumoauth-harness")


class ControlPlane:
    """Calls the control plane (`/_harness`); without a body, GET."""

    def __init__(self, base, token):
        self.base, self.token = base, token

    def __call__(self, path, body=None, method=None):
        request = urllib.request.Request(
            self.base + path,
            method=method or ("GET" if body is None else "POST"),
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as refused:
            raise AssertionError(f"{request.method} {path}: {refused.read().decode()}") from None


@pytest.fixture(scope="session")
def harness():
    """The harness on free ports, stopped after the last test."""
    start = [*shlex.split(command), "start", "--json", "--port", "0", "--api-port", "0"]
    process = subprocess.Popen(start, stdout=subprocess.PIPE, text=True)
    try:
        line = process.stdout.readline()
        assert line, f"{shlex.join(start)} ended with exit code {process.wait()}"
        ready = json.loads(line)
        yield ControlPlane(f"{ready['issuer']}/_harness/tenants", ready["control_token"])
    finally:
        process.terminate()
        process.wait(timeout=10)


@pytest.fixture
def seed():
    """What the tenant contains; override it in a test module. {} is the founding example."""
    return {}


@pytest.fixture
def tenant(harness, seed):
    """A fresh tenant: `tenant("/journal")` calls its control plane, `tenant.created` has its credentials."""
    created = harness("", seed)
    name = created["tenant"]
    of_tenant = ControlPlane(f"{harness.base}/{name}", harness.token)
    of_tenant.created = created
    yield of_tenant
    harness(f"/{name}", method="DELETE")


@pytest.fixture
def agent_env(tenant, monkeypatch):
    """Sets the environment variables that LumoAuth's SDK reads."""
    for name, value in tenant.created["environment"].items():
        monkeypatch.setenv(name, value)
    return tenant.created["environment"]


@pytest.fixture
def clock(tenant):
    """Moves the tenant's clock: `clock("PT20M")`."""
    return lambda duration: tenant("/clock", {"advance": duration})


@pytest.fixture
def approver(tenant):
    """Decides what the policy asks a person: `approver("deny", reason="…")`."""
    return lambda decision, **how: tenant("/approver", {"decision": decision, **how}, "PUT")


@pytest.fixture
def misbehave(tenant):
    """Switches a misbehaviour on: `misbehave("network-unavailable", times=1)`."""
    return lambda name, **how: tenant("/misbehaviours", {"name": name, **how})


@pytest.fixture
def journal(tenant):
    """The names of the events so far."""
    return lambda: [entry["type"] for entry in tenant("/journal")["entries"]]
