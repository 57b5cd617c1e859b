"""OpenID Connect: discovery, the code flow with PKCE, and the signed token that says who somebody is.

Sources: OpenID Connect Core 1.0 (sections 3.1.2, 3.1.3.7), Discovery 1.0, RFC 7636 (PKCE), RFC 9700.
"""

import hashlib
import ssl
import threading
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from core.errors import InputError, SourceUnavailable
from core.sessions import Claims

ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
"""Signatures by a key of the provider; `none`, and secrets that we would share, prove nothing."""
LEEWAY_S: Final = 60
HELD: Final = timedelta(hours=1)
AGAIN: Final = timedelta(seconds=30)
"""So seldom the provider is asked for its keys because of a token that names none of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """What the provider knows us by."""

    issuer: str
    client: str
    secret: str = ""
    label: str = ""
    scopes: tuple[str, ...] = ("openid", "profile", "email")
    groups_claim: str = "groups"
    ca_file: str = ""
    timeout_s: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What the provider publishes of itself."""

    document: dict[str, Any]
    keys: KeySet
    at: datetime


class OpenIdProvider:
    """Somebody else's login, asked over HTTP; what it publishes of itself is held for an hour."""

    def __init__(self, registration: Registration, *, clock: Any) -> None:  # noqa: ANN401 - core.ports.Clock
        self._us = registration
        self._clock = clock
        self._known: _Known | None = None
        self._lock = threading.Lock()

    @property
    def label(self) -> str:
        """What the button of the login page says."""
        return self._us.label or self._us.issuer.partition("://")[2].partition("/")[0]

    def address(self, *, back: str, state: str, nonce: str, verifier: str) -> str:
        """Return where a person logs in."""
        asked = {
            "response_type": "code",
            "client_id": self._us.client,
            "redirect_uri": back,
            "scope": " ".join(self._us.scopes),
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge(verifier),
            "code_challenge_method": "S256",
        }
        place = self._provider().document["authorization_endpoint"]
        return f"{place}{'&' if '?' in place else '?'}{urlencode(asked)}"

    def claims(self, code: str, *, back: str, nonce: str, verifier: str, now: datetime) -> Claims:
        """Return what a code stands for."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": back,
            "client_id": self._us.client,
            "code_verifier": verifier,
        }
        basic = (self._us.client, self._us.secret) if self._us.secret else None
        with self._client() as client:
            answer = self._sent(client, "POST", self._provider().document["token_endpoint"], data=form, auth=basic)
        if answer.is_client_error:
            raise InputError("the identity provider does not know this code", remedy="log in again")
        return self._proved(str(_json(answer).get("id_token", "")), nonce, now)

    def _proved(self, token: str, nonce: str, now: datetime) -> Claims:
        said = self._decoded(token)
        audience = said.get("aud")
        audiences = [audience] if isinstance(audience, str) else audience or []
        party = said.get("azp", self._us.client)
        fits = {
            "issuer": said.get("iss") == self._us.issuer,
            "audience": self._us.client in audiences and party == self._us.client,
            "nonce": said.get("nonce") == nonce,
            "time": _holds(said, now),
            "subject": bool(said.get("sub")),
        }
        wrong = [name for name, right in fits.items() if not right]
        if wrong:
            raise InputError(f"the identity provider's token is of another {wrong[0]}", remedy="log in again")
        return self._claims(said)

    def _claims(self, said: dict[str, Any]) -> Claims:
        groups = said.get(self._us.groups_claim, ())
        verified = said.get("email_verified") in {True, "true"}
        return Claims(
            subject=f"{self._us.issuer}|{said['sub']}",
            name=str(said.get("name", "")),
            mail=str(said.get("email", "")) if verified else "",
            groups=(groups,) if isinstance(groups, str) else tuple(str(g) for g in groups),
        )

    def _decoded(self, token: str) -> dict[str, Any]:
        """Return what a token says that the provider signed; its keys are asked for anew where it changed them."""
        for fresh in (False, True):
            try:
                return dict(jwt.decode(token, self._provider(fresh=fresh).keys, algorithms=list(ALGORITHMS)).claims)
            except (JoseError, ValueError) as err:
                if fresh:
                    raise InputError(
                        "the identity provider's token is not signed by it", remedy="log in again"
                    ) from err
        raise AssertionError  # the second round returns or raises

    def _provider(self, *, fresh: bool = False) -> _Known:
        with self._lock:
            now, known = self._clock(), self._known
            if known is None or now - known.at > (AGAIN if fresh else HELD):
                known = self._known = self._asked(now)
            return known

    def _asked(self, now: datetime) -> _Known:
        with self._client() as client:
            place = f"{self._us.issuer.rstrip('/')}/.well-known/openid-configuration"
            document = _json(self._sent(client, "GET", place))
            if document.get("issuer") != self._us.issuer:
                raise SourceUnavailable(f"{place} is of the issuer {document.get('issuer')!r}; correct oidc.issuer")
            missing = {"authorization_endpoint", "token_endpoint", "jwks_uri"} - set(document)
            if missing:
                raise SourceUnavailable(f"{place} names no {min(missing)}; it is no provider of OpenID Connect")
            keys = _json(self._sent(client, "GET", document["jwks_uri"]))
        try:
            return _Known(document=document, keys=KeySet.import_key_set(keys), at=now)  # type: ignore[arg-type]  # checked by it
        except (JoseError, ValueError, KeyError, TypeError) as err:
            raise SourceUnavailable(f"{document['jwks_uri']} holds no keys ({err}); ask who runs it") from err

    def _client(self) -> httpx.Client:
        trust = ssl.create_default_context(cafile=self._us.ca_file) if self._us.ca_file else True
        return httpx.Client(timeout=self._us.timeout_s, verify=trust, follow_redirects=False, trust_env=False)

    def _sent(self, client: httpx.Client, method: str, place: str, **form: Any) -> httpx.Response:  # noqa: ANN401 - of httpx
        try:
            answer = client.request(method, place, **form)
        except httpx.HTTPError as err:
            raise SourceUnavailable(
                f"the identity provider at {place} does not answer ({err}); try again later"
            ) from err
        if not (answer.is_success or (method == "POST" and answer.is_client_error)):
            raise SourceUnavailable(f"identity provider {place} answers {answer.status_code}; try again later")
        return answer


def challenge(verifier: str) -> str:
    """Return the challenge of a verifier: its SHA-256 in base64url (RFC 7636, S256)."""
    return urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _holds(said: dict[str, Any], now: datetime) -> bool:
    """Return whether a token holds now: not expired, and issued a moment ago."""
    at, ends, made = now.timestamp(), said.get("exp"), said.get("iat")
    if not isinstance(ends, int | float) or not isinstance(made, int | float):
        return False
    return ends > at - LEEWAY_S and made < at + LEEWAY_S


def _json(answer: httpx.Response) -> dict[str, Any]:
    try:
        found = answer.json()
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise SourceUnavailable(f"{answer.url} answers no JSON object; it is no provider of OpenID Connect")
    return found
