"""An OpenID provider: discovery, keys, a login that lets everybody in, codes for tokens; it lies where a test wants."""

import base64
import hashlib
import hmac
import json
import threading
import time
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey


@cache
def key(number: int, kid: str) -> RSAKey:  # noqa: ARG001 - each number has a key of its own
    """Return a key, made once."""
    return RSAKey.generate_key(2048, {"kid": kid})


CLIENT, SECRET = "odecet", "shared with the provider"


@dataclass
class OpenIdServer:
    """Logs `person` in without asking. `lies` change what tokens claim; `signs` is whose key signs them."""

    person: dict[str, Any] = field(default_factory=dict)
    lies: dict[str, Any] = field(default_factory=dict)
    signs: str = "rsa"
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._codes: dict[str, dict[str, str]] = {}
        self._key, self._other = key(1, "one"), key(2, "one")
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.answer(self)

            def do_POST(self) -> None:
                provider.answer(self)

            def log_message(self, *_: object) -> None:
                """Keep quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self._server.server_address[1]}/realm"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, err: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def change_key(self) -> None:
        """Sign by a new key from now on, as providers do now and then."""
        self._key = key(3, "two")

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer a request."""
        place = urlsplit(handler.path)
        self.asked.append(place.path)
        known = {
            "/realm/.well-known/openid-configuration": self._discovery,
            "/realm/keys": self._keys,
            "/realm/login": lambda: self._login(handler, parse_qs(place.query)),
            "/realm/token": lambda: self._token(handler),
        }
        found = known[place.path]()
        if found is None:
            return
        body = json.dumps(found).encode()
        handler.send_response(400 if "error" in found else 200)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    def _discovery(self) -> dict[str, Any]:
        return {
            "issuer": self.lies.get("issuer", self.issuer),
            "authorization_endpoint": f"{self.issuer}/login",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
        }

    def _keys(self) -> dict[str, Any]:
        return dict(KeySet([self._key]).as_dict(private=False))

    def _login(self, handler: BaseHTTPRequestHandler, asked: dict[str, list[str]]) -> None:
        said = {name: values[0] for name, values in asked.items()}
        assert said["response_type"] == "code"
        assert said["client_id"] == CLIENT
        assert said["code_challenge_method"] == "S256"
        code = f"code-{len(self._codes)}"
        self._codes[code] = said
        handler.send_response(302)
        handler.send_header("Location", f"{said['redirect_uri']}?{urlencode({'code': code, 'state': said['state']})}")
        handler.end_headers()

    def _token(self, handler: BaseHTTPRequestHandler) -> dict[str, Any]:
        length = int(handler.headers["Content-Length"])
        form = {name: values[0] for name, values in parse_qs(handler.rfile.read(length).decode()).items()}
        basic = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        login = self._codes.pop(form["code"], None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=")
        if (
            login is None
            or handler.headers["Authorization"] != f"Basic {basic}"
            or form["redirect_uri"] != login["redirect_uri"]
            or challenge.decode() != login["code_challenge"]
        ):
            return {"error": "invalid_grant"}
        return {"access_token": "x", "token_type": "Bearer", "id_token": self._signed(login)}

    def _signed(self, login: dict[str, str]) -> str:
        now = int(time.time())
        usual = {"iss": self.issuer, "aud": CLIENT, "nonce": login["nonce"], "iat": now, "exp": now + 300}
        claims = {name: value for name, value in {**usual, **self.person, **self.lies}.items() if value is not None}
        if self.signs == "none":
            return f"{_part({'alg': 'none'})}.{_part(claims)}."
        if self.signs == "secret":  # as if what everybody knows of the key were a secret that we share
            text = f"{_part({'alg': 'HS256', 'kid': 'one'})}.{_part(claims)}"
            mark = hmac.new(self._key.as_pem(private=False), text.encode(), hashlib.sha256).digest()
            return f"{text}.{base64.urlsafe_b64encode(mark).rstrip(b'=').decode()}"
        signing = self._key if self.signs == "rsa" else self._other
        return jwt.encode({"alg": "RS256", "kid": signing.kid}, claims, signing)


def _part(said: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(said).encode()).rstrip(b"=").decode()
