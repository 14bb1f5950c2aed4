"""Authlib and PyJWT, unmodified, through every flow they know. Prints one row of JSON a flow."""

import base64
import html
import json
import os
import re
import urllib.parse

import jwt
import requests
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc import jwk, jwt as jose

os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"
env = os.environ
ISSUER, API, CALLBACK = env["ISSUER"], env["API"], "http://127.0.0.1:8765/callback"


def flow(client, name, run):
    try:
        run()
        print(json.dumps({"client": client, "flow": name, "ok": True}), flush=True)
    except Exception as error:
        why = f"{type(error).__name__}: {error}"[:300]
        print(json.dumps({"client": client, "flow": name, "ok": False, "why": why}), flush=True)


def consent(url, **fields):
    """What a person does on the consent page: choose Alice, allow. Returns where the browser is sent."""
    page = requests.get(url, allow_redirects=False)
    assert page.status_code == 200, (page.status_code, page.headers.get("location"), page.text[:200])
    hidden = re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page.text)
    body = [(name, html.unescape(value)) for name, value in hidden]
    body += [("user", "alice@example.com"), ("decision", "allow"), *fields.items()]
    cookie = page.headers["set-cookie"].split(";")[0]
    target = url.split("?")[0]
    sent = requests.post(target, data=body, headers={"cookie": cookie}, allow_redirects=False)
    return sent.headers.get("location")


def control(path, body):
    headers = {"authorization": f"Bearer {env['CONTROL_TOKEN']}"}
    return requests.post(env["CONTROL"] + path, json=body, headers=headers).json()


meta = requests.get(f"{ISSUER}/.well-known/openid-configuration").json()
endpoint = {name: meta[f"{name}_endpoint"] for name in ("token", "authorization", "userinfo", "introspection", "revocation")}
name = f"Authlib {env['AUTHLIB']}"


def session(client_id="web", secret=env["WEB_SECRET"], **more):
    return OAuth2Session(client_id, secret, redirect_uri=CALLBACK, **more)


def sign_in(client, **more):
    verifier = base64.urlsafe_b64encode(os.urandom(32)).rstrip(b"=").decode()
    url, state = client.create_authorization_url(
        endpoint["authorization"], code_verifier=verifier, nonce="n-1", **more
    )
    back = consent(url)
    assert urllib.parse.parse_qs(urllib.parse.urlsplit(back).query)["state"] == [state]
    return client.fetch_token(endpoint["token"], authorization_response=back, code_verifier=verifier, state=state)


def discovery():
    assert meta["issuer"] == ISSUER, meta["issuer"]


flow(name, "OIDC discovery", discovery)


def credentials(method):
    def run():
        client = OAuth2Session(env["AGENT_ID"], env["AGENT_SECRET"], token_endpoint_auth_method=method)
        token = client.fetch_token(endpoint["token"], grant_type="client_credentials", scope="read:documents")
        assert token["scope"] == "read:documents", token

    return run


for method in ("client_secret_basic", "client_secret_post"):
    flow(name, f"client_credentials by {method}", credentials(method))


def assertion():
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key()))
    own = requests.post(
        endpoint["token"],
        data={"grant_type": "client_credentials", "client_id": env["AGENT_ID"], "client_secret": env["AGENT_SECRET"]},
    ).json()
    order = {
        "grant_types": ["client_credentials"],
        "token_endpoint_auth_method": "private_key_jwt",
        "scope": "read:documents",
        "jwks": {"keys": [public]},
    }
    headers = {"authorization": f"Bearer {own['access_token']}"}
    made = requests.post(meta["registration_endpoint"], json=order, headers=headers)
    assert made.status_code == 201, made.text
    client = OAuth2Session(made.json()["client_id"], private, token_endpoint_auth_method="private_key_jwt")
    client.register_client_auth_method(PrivateKeyJWT(endpoint["token"]))
    token = client.fetch_token(endpoint["token"], grant_type="client_credentials")
    assert token["access_token"], token


flow(name, "registration, private_key_jwt made out to the token endpoint", assertion)


def whole(client):
    tokens = sign_in(client)
    keys = jwk.KeySet.import_key_set(requests.get(meta["jwks_uri"]).json())
    header = jwt.get_unverified_header(tokens["id_token"])
    claims = jose.decode(tokens["id_token"], keys, algorithms=[header["alg"]]).claims
    assert claims["nonce"] == "n-1" and claims["sub"] == "user:alice", claims
    info = client.get(endpoint["userinfo"]).json()
    assert info["email"] == "alice@example.com", info
    before = tokens["refresh_token"]
    fresh = client.refresh_token(endpoint["token"], refresh_token=before)
    assert fresh["refresh_token"] != before
    return fresh


def confidential():
    client = session(scope="openid email offline_access", code_challenge_method="S256")
    fresh = whole(client)
    answer = client.introspect_token(endpoint["introspection"], token=fresh["access_token"]).json()
    assert answer["active"] is True, answer
    client.revoke_token(endpoint["revocation"], token=fresh["refresh_token"], token_type_hint="refresh_token")
    answer = client.introspect_token(endpoint["introspection"], token=fresh["access_token"]).json()
    assert answer["active"] is False, answer


def public():
    client = OAuth2Session(
        "spa", redirect_uri=CALLBACK, scope="openid email", code_challenge_method="S256", token_endpoint_auth_method="none"
    )
    fresh = whole(client)
    gone = client.revoke_token(endpoint["revocation"], token=fresh["refresh_token"], token_type_hint="refresh_token")
    assert gone.status_code == 200, gone.text


flow(name, "code, ID token, userinfo, refresh, introspection, revocation", confidential)
flow(name, "public client: code, ID token, userinfo, refresh, revocation", public)


def exchange():
    own = OAuth2Session(env["AGENT_ID"], env["AGENT_SECRET"], token_endpoint_auth_method="client_secret_post")
    token = own.fetch_token(endpoint["token"], grant_type="client_credentials", scope="read:documents")
    told = own.fetch_token(
        endpoint["token"],
        grant_type="urn:ietf:params:oauth:grant-type:token-exchange",
        subject_token=token["access_token"],
        subject_token_type="urn:ietf:params:oauth:token-type:access_token",
        resource=API,
    )
    assert told["issued_token_type"].endswith("access_token"), told


flow(name, "token exchange", exchange)


def device():
    started = requests.post(meta["device_authorization_endpoint"], data={"client_id": "spa", "scope": "openid"}).json()
    consent(started["verification_uri_complete"])
    client = OAuth2Session("spa", token_endpoint_auth_method="none")
    grant = "urn:ietf:params:oauth:grant-type:device_code"
    token = client.fetch_token(endpoint["token"], grant_type=grant, device_code=started["device_code"])
    assert token["id_token"], token


flow(name, "device authorization", device)


def raw_basic():
    """A secret with characters that need form encoding, which Authlib and requests do not do."""
    answer = requests.post(
        endpoint["token"], data={"grant_type": "client_credentials"}, auth=("odd-secret", env["ODD_SECRET"])
    )
    assert answer.status_code == 401 and "form-encoded" in answer.json()["error_description"], answer.text


flow(name, "a secret that is not form-encoded gets a reason", raw_basic)

other = f"PyJWT {env['PYJWT']}"


def agent_token():
    data = {
        "grant_type": "client_credentials",
        "client_id": env["AGENT_ID"],
        "client_secret": env["AGENT_SECRET"],
        "resource": API,
    }
    return requests.post(endpoint["token"], data=data).json()["access_token"]


def verify(client):
    token = agent_token()
    key = client.get_signing_key_from_jwt(token)
    algorithm = jwt.get_unverified_header(token)["alg"]
    return jwt.decode(token, key.key, algorithms=[algorithm], audience=API, issuer=ISSUER)


def keys():
    client = jwt.PyJWKClient(meta["jwks_uri"])
    first = jwt.get_unverified_header(agent_token())["kid"]
    assert verify(client)["client_id"] == env["AGENT_ID"]
    # It fetches keys seldom, so the next one is published before it signs.
    published = control("/keys", {"algorithm": "ES256", "sign": False})["published"][-1]
    client = jwt.PyJWKClient(meta["jwks_uri"])
    assert verify(client)["client_id"] == env["AGENT_ID"]
    control(f"/keys/{published}/sign", {})
    assert verify(client)["client_id"] == env["AGENT_ID"]
    assert jwt.get_unverified_header(agent_token())["kid"] not in (first, None)


def foreign():
    client = jwt.PyJWKClient(meta["jwks_uri"])
    token = agent_token()
    key = client.get_signing_key_from_jwt(token).key
    algorithm = jwt.get_unverified_header(token)["alg"]
    try:
        jwt.decode(token, key, algorithms=[algorithm], audience="https://other.example", issuer=ISSUER)
    except jwt.InvalidAudienceError:
        return
    raise AssertionError("a token of another audience was accepted")


flow(other, "access token, across a rotation of the keys", keys)
flow(other, "a token for another audience is refused", foreign)
