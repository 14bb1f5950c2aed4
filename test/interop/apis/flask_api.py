"""A documents API as a user writes it: Flask, PyJWT, and LumoAuth's challenge. MISTAKE makes it wrong."""

import base64
import json
import os

import jwt
import requests
from flask import Flask, Response, jsonify, request

ISSUER = os.environ["LUMOAUTH_ISSUER"]
AUDIENCE = os.environ["LUMOAUTH_AUDIENCE"]
CLIENT = (os.environ["API_CLIENT_ID"], os.environ["API_CLIENT_SECRET"])
MISTAKE = os.environ.get("MISTAKE", "")

app = Flask(__name__)
keys = jwt.PyJWKClient(os.environ["LUMOAUTH_JWKS_URI"])
documents = {"plan": "Sell apples.", "budget": "None left."}


class Refused(Exception):
    def __init__(self, status, error=None, required=None):
        self.status, self.error, self.required = status, error, required


@app.errorhandler(Refused)
def refused(refusal):
    answer = jsonify(error=refusal.error or "unauthorized")
    bearer = 'Bearer realm="documents"' + (f', error="{refusal.error}"' if refusal.error else "")
    answer.headers.update({"WWW-Authenticate": bearer, "Cache-Control": "no-store"})
    if refusal.required:
        encode = base64.urlsafe_b64encode if MISTAKE == "url-safe-challenge" else base64.b64encode
        compact = json.dumps(refusal.required, separators=(",", ":")).encode()
        value = encode(compact).decode()
        answer.headers["Insufficient-Authorization-Details"] = value.rstrip("=") if MISTAKE == "url-safe-challenge" else value
    return answer, refusal.status


def claims_of(header):
    scheme, _, token = (header or "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Refused(401)
    try:
        if MISTAKE == "unverified":
            return jwt.decode(token, options={"verify_signature": False})
        if jwt.get_unverified_header(token).get("typ") != "at+jwt":
            raise Refused(401, "invalid_token")
        key = keys.get_signing_key_from_jwt(token)
        claims = jwt.decode(token, key.key, algorithms=["RS256"], audience=AUDIENCE, issuer=ISSUER,
                            options={"require": ["exp", "iat", "sub", "jti"]})
    except (jwt.PyJWTError, ValueError):
        raise Refused(401, "invalid_token")
    seen = requests.post(os.environ["LUMOAUTH_INTROSPECTION_ENDPOINT"], auth=CLIENT, data={"token": token}, timeout=5)
    if not seen.json().get("active"):
        raise Refused(401, "invalid_token")
    return claims


def allows(claims, required):
    for detail in claims.get("authorization_details") or []:
        if MISTAKE == "any-document" and detail.get("type") == required["type"]:
            return True
        if (detail.get("type"), detail.get("identifier")) != (required["type"], required["identifier"]):
            continue
        if set(required["actions"]) <= set(detail.get("actions") or []) and AUDIENCE in detail.get("locations", [AUDIENCE]):
            return True
    return False


@app.get("/documents/<name>")
def read(name):
    required = {"type": "file_access", "actions": ["read"], "identifier": name}
    if not allows(claims_of(request.headers.get("Authorization")), required):
        raise Refused(403, "insufficient_authorization_details", required)
    return Response(documents.get(name, ""), status=200 if name in documents else 404, mimetype="text/plain")


if __name__ == "__main__":
    app.run(host=os.environ["HOST"], port=int(os.environ["PORT"]), threaded=True)
