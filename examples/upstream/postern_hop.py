"""Who called? Verifies the header Postern-Identity in a Python service behind a postern gateway or guard.

Copy this file into the service. It needs PyJWT and cryptography (Debian: python3-jwt, python3-cryptography).

    verifier = HopVerifier(
        issuer="https://auth.acme.dev",
        audience="mybentocloud/summarizer",
        jwks="https://auth.acme.dev/.well-known/jwks.json",
    )
    caller = verifier.verify(headers.get("Postern-Identity"), "POST", "/summarize?lang=de")
    caller["owner"], caller["scope"].split()

ASGI (FastAPI, Starlette, BentoML, vLLM):   app = RequireHop(app, verifier)    # scope["postern"] is the caller
gRPC:   grpc.server(pool, interceptors=[hop_interceptor(verifier)])
"""

import asyncio
import base64
import json
import re
import threading
import time
import urllib.request

import jwt

MAX_LIFE = 30
MAX_BYTES = 1_048_576
FORM = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
ADDRESS = re.compile(r"(?:https?://[^/\\?#\s]+)(/[^?#]*)", re.IGNORECASE)
TARGET = re.compile(r"(?:https?://[^/\\?#\s]+)?(/[^?#]*)", re.IGNORECASE)


class HopRefused(Exception):
    """The call has no valid hop for this service, method and path: answer 401 or UNAUTHENTICATED."""


class KeysUnavailable(Exception):
    """The keys can't be read, so nothing is known about the hop: answer 503 or UNAVAILABLE."""


class HopVerifier:
    """Verifies hops. Make one for the process: it keeps the key set. Safe for threads."""

    def __init__(self, issuer, audience, jwks, tolerance=5, now=time.time, max_age=600, cooldown=30, stale=3600):
        """
        audience: this service, "organization/endpoint".
        jwks: the address of the key set, or the set itself as a dict.
        tolerance, max_age, cooldown, stale: seconds. The keys are fetched again after max_age, or for an unknown key, but never
        twice within cooldown for one of these causes. If the server does not answer, known keys serve for stale longer.
        """
        self.issuer = issuer
        self.audience = audience
        self.tolerance = tolerance
        self.now = now
        self._keys = _KeySet(jwks, now, max_age, cooldown, stale)

    def verify(self, hop, method, target):
        """Returns the claims of the caller. target is the path as it was sent, with or without its query."""
        kid = _read_header(hop)
        key = self._keys.find(kid)
        if key is None:
            raise HopRefused("its key is unknown")
        try:
            # Times and audience are checked below, more strictly.
            options = {f"verify_{name}": False for name in ("exp", "iat", "nbf", "aud", "iss")}
            claims = jwt.decode(hop, key, algorithms=["EdDSA"], options=options)
        except jwt.PyJWTError as error:
            raise HopRefused("its signature is not valid") from error
        self._check(claims, method, target)
        return claims

    def _check(self, claims, method, target):
        def has(name, kind):
            value = claims.get(name)
            return isinstance(value, kind) and not isinstance(value, bool)

        if claims.get("iss") != self.issuer or claims.get("aud") != self.audience:
            raise HopRefused("it is for another service")
        named, sent = ADDRESS.match(_text(claims.get("htu"))), TARGET.match(_text(target))
        if claims.get("htm") != method or not named or not sent or named[1] != sent[1]:
            raise HopRefused("it is for another call")
        texts = ("sub", "organization", "scope")
        if not all(has(name, str) for name in texts) or not claims["sub"] or not claims["organization"]:
            raise HopRefused("it names no caller")
        if not isinstance(claims.get("owner", 0), (str, type(None))):
            raise HopRefused("it names no caller")
        if not has("types", list) or not (has("endpoints", list) or claims.get("endpoints") == "*"):
            raise HopRefused("it names no rights")
        if not has("iat", (int, float)) or not has("exp", (int, float)):
            raise HopRefused("it has no times")
        now = self.now()
        if claims["iat"] > now + self.tolerance or claims["exp"] <= now - self.tolerance:
            raise HopRefused("it is not valid now")
        if claims["exp"] - claims["iat"] > MAX_LIFE:
            raise HopRefused("it lives too long")


def _text(value):
    return value if isinstance(value, str) else ""


def _read_header(hop):
    """The kid of a hop. The header has alg, kid and typ, and nothing else."""
    if not isinstance(hop, str) or len(hop) > 8192 or not FORM.fullmatch(hop):
        raise HopRefused("there is none")
    try:
        header = json.loads([_decode(part) for part in hop.split(".")][0])
    except ValueError as error:
        raise HopRefused("it can not be read") from error
    if not isinstance(header, dict) or set(header) != {"alg", "kid", "typ"}:
        raise HopRefused("it is no hop")
    if header["alg"] != "EdDSA" or header["typ"] != "postern-hop+jwt" or not isinstance(header["kid"], str):
        raise HopRefused("it is no hop")
    return header["kid"]


def _decode(part):
    """Canonical base64url, so that each hop has one spelling."""
    decoded = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    if base64.urlsafe_b64encode(decoded).rstrip(b"=").decode() != part:
        raise ValueError("not canonical")
    return decoded


class _KeySet:
    def __init__(self, source, now, max_age, cooldown, stale):
        self._source = source
        self._now = now
        self._max_age, self._cooldown, self._stale = max_age, cooldown, stale
        self._lock = threading.Lock()
        self._keys = _import(source) if isinstance(source, dict) else {}
        self._fetched_at = None
        self._asked_at = {}
        self._failure = None

    def find(self, kid):
        if isinstance(self._source, dict):
            return self._keys.get(kid)
        with self._lock:
            asked = self._age() >= self._max_age and self._ask("age")
            if self._age() < self._max_age + (self._stale if self._failure else 0) and kid in self._keys:
                return self._keys[kid]
            if not asked:
                self._ask("kid")
            if self._failure:
                raise KeysUnavailable("the keys can not be read") from self._failure
            return self._keys.get(kid)

    def _age(self):
        # Absolute, so that a clock that is set back can't make keys look young.
        return float("inf") if self._fetched_at is None else abs(self._now() - self._fetched_at)

    def _ask(self, cause):
        now = self._now()
        if cause in self._asked_at and abs(now - self._asked_at[cause]) < self._cooldown:
            return False
        self._asked_at[cause] = now
        try:
            self._keys, self._fetched_at, self._failure = _import(_fetch(self._source)), now, None
        except Exception as error:  # whatever failed, it says nothing about a hop
            self._failure = error
        return True


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def _fetch(address):
    with urllib.request.build_opener(_NoRedirects).open(address, timeout=5) as answer:
        body = answer.read(MAX_BYTES + 1)
    if len(body) > MAX_BYTES:
        raise ValueError("the key set is too large")
    return json.loads(body)


def _import(key_set):
    """kid → key. Keys of other kinds are skipped."""
    keys = {}
    for jwk in key_set["keys"]:
        if jwk.get("kty") == "OKP" and jwk.get("crv") == "Ed25519" and "d" not in jwk and isinstance(jwk.get("kid"), str):
            keys[jwk["kid"]] = jwt.PyJWK.from_dict(jwk, algorithm="EdDSA").key
    return keys


class RequireHop:
    """ASGI middleware: calls without a valid hop are answered with 401, and 503 while the keys can't be read."""

    def __init__(self, app, verifier):
        self.app = app
        self.verifier = verifier

    async def __call__(self, scope, receive, send):
        if scope["type"] == "lifespan":
            return await self.app(scope, receive, send)
        hops = [value for name, value in scope["headers"] if name == b"postern-identity"]
        hop = hops[0].decode("latin-1") if len(hops) == 1 else None
        target = (scope.get("raw_path") or b"").decode("latin-1")
        try:
            # In a thread, because the keys may have to be fetched.
            caller = await asyncio.to_thread(self.verifier.verify, hop, scope.get("method", "GET"), target)
        except (HopRefused, KeysUnavailable) as error:
            return await self._refuse(scope, send, 401 if isinstance(error, HopRefused) else 503)
        return await self.app({**scope, "postern": caller}, receive, send)

    async def _refuse(self, scope, send, status):
        if scope["type"] == "websocket":
            return await send({"type": "websocket.close", "code": 1008})
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})


def hop_interceptor(verifier):
    """A server interceptor of grpcio: calls without a valid hop end with UNAUTHENTICATED, and UNAVAILABLE without keys."""
    import grpc

    def refusing(code, handler):
        def refuse(_request, context):
            context.abort(code, "The call has no valid identity.")

        shape = "stream" if handler.request_streaming else "unary"
        answer = "stream" if handler.response_streaming else "unary"
        return getattr(grpc, f"{shape}_{answer}_rpc_method_handler")(refuse)

    class Interceptor(grpc.ServerInterceptor):
        def intercept_service(self, continuation, details):
            hops = [value for name, value in details.invocation_metadata if name == "postern-identity"]
            handler = continuation(details)
            if handler is None:
                return None
            try:
                verifier.verify(hops[0] if len(hops) == 1 else None, "POST", details.method)
            except HopRefused:
                return refusing(grpc.StatusCode.UNAUTHENTICATED, handler)
            except KeysUnavailable:
                return refusing(grpc.StatusCode.UNAVAILABLE, handler)
            return handler

    return Interceptor()
