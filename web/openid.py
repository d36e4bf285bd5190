"""OpenID Connect: where is somebody sent to sign in, and what does the provider say about who came back?"""

import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NoReturn
from urllib.parse import urlsplit

from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry
from requests import RequestException

from controlplane.domain.errors import NotSignedIn, ProviderFailed
from controlplane.settings import Settings, is_safe_address

SCOPE = "openid email"
# Signatures of a key pair only: a provider's public key must never pass for a shared secret.
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]
ANSWERS_WITHIN = 5  # seconds, each time it is asked
CLOCKS_DIFFER_BY = 60  # seconds
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Journey:
    """What must be known again of somebody who was sent to the provider."""

    state: str
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    back: str  # where the provider sends them to


class Provider:
    """The identity provider of the settings. It is asked anew each time, so its keys may change whenever it likes."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._issuer = settings.oidc_issuer or ""

    def departure(self, back: str) -> tuple[str, Journey]:
        """The address to send somebody to. Raises ProviderFailed."""
        journey = Journey(_unguessable(), _unguessable(), _unguessable(), back)
        found = self._discovered()
        with self._client(found, back) as client:
            address, _ = client.create_authorization_url(
                found["authorization_endpoint"],
                state=journey.state,
                code_verifier=journey.verifier,
                nonce=journey.nonce,
            )
        return str(address), journey

    def arrival(self, journey: Journey, code: str, now: datetime) -> Mapping[str, Any]:
        """The claims of the ID token that the code is worth. Raises NotSignedIn, ProviderFailed."""
        found = self._discovered()
        signed = self._redeemed(found, journey, code)
        keys = self._asked(found, found["jwks_uri"])
        try:
            return self._checked(signed, keys, journey.nonce, now)
        # Whatever is wrong with a token or a key set, nobody is signed in by it.
        except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
            claim = getattr(error, "claim", "")
            self._give_up("its ID token was refused", f"{type(error).__name__} {claim}".strip())

    def _checked(self, signed: str, keys: Mapping[str, Any], nonce: str, now: datetime) -> Mapping[str, Any]:
        client_id = self._settings.oidc_client_id
        usable = [key for key in keys["keys"] if key.get("kty") in {"RSA", "EC"} and key.get("use", "sig") == "sig"]
        registry = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
        token = jwt.decode(signed, KeySet.import_key_set({"keys": usable}), registry=registry)
        wanted = {
            "iss": {"essential": True, "value": self._issuer},
            "aud": {"essential": True, "value": client_id},
        }
        claims = CodeIDToken(token.claims, token.header, wanted, {"nonce": nonce, "client_id": client_id})
        claims.validate(now=int(now.timestamp()), leeway=CLOCKS_DIFFER_BY)
        return dict(claims)

    def _redeemed(self, found: Mapping[str, Any], journey: Journey, code: str) -> str:
        try:
            with self._client(found, journey.back) as client:
                token = client.fetch_token(
                    found["token_endpoint"],
                    grant_type="authorization_code",
                    code=code,
                    code_verifier=journey.verifier,
                    redirect_uri=journey.back,
                    allow_redirects=False,
                )
        except OAuthError as error:
            self._refuse(str(error.error))
        except (RequestException, ValueError) as error:
            self._give_up("its token endpoint failed", type(error).__name__)
        signed = token.get("id_token") if isinstance(token, dict) else None
        if not isinstance(signed, str):
            self._give_up("its token endpoint failed", "it sent no ID token")
        return signed

    def _discovered(self) -> Mapping[str, Any]:
        found = self._asked({}, f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
        if found.get("issuer") != self._issuer:
            self._give_up("its discovery document is another issuer's", "THROWBAR_OIDC_ISSUER must be the same text")
        if not all(is_safe_address(str(found.get(name, ""))) for name in _ENDPOINTS):
            self._give_up("its discovery document is of no use", f"it needs https addresses for {_ENDPOINTS}")
        return found

    def _asked(self, found: Mapping[str, Any], address: str) -> Mapping[str, Any]:
        try:
            with self._client(found, "") as client:
                answer = client.get(address, withhold_token=True, allow_redirects=False)
                document = answer.json() if answer.status_code == 200 else None
        except (RequestException, ValueError) as error:
            self._give_up("it does not answer", type(error).__name__)
        if not isinstance(document, dict):
            self._give_up("it does not answer", f"status {answer.status_code} from {urlsplit(address).path}")
        return document

    def _client(self, found: Mapping[str, Any], back: str) -> Any:  # noqa: ANN401 - Authlib ships no types
        methods = found.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        method = "client_secret_basic" if "client_secret_basic" in methods else "client_secret_post"
        return OAuth2Session(
            self._settings.oidc_client_id,
            self._settings.oidc_client_secret,
            token_endpoint_auth_method=method,
            scope=SCOPE,
            redirect_uri=back,
            code_challenge_method="S256",
            default_timeout=ANSWERS_WITHIN,
        )

    def _refuse(self, why: str) -> NoReturn:
        _log.warning("the OpenID provider refused a code: %s", why if why.isidentifier() else "no known error")
        raise NotSignedIn(f"{self._settings.admission.label} did not sign you in: start again here")

    def _give_up(self, what: str, detail: str) -> NoReturn:
        """For the operator the reason, for the person what to do. Neither is told anything that the provider sent."""
        _log.warning("signing in by OpenID Connect failed: %s (%s)", what, detail)
        raise ProviderFailed(
            f"signing in with {self._settings.admission.label} failed, {what}: "
            "try again, and tell whoever runs this server if it stays so"
        )


def _unguessable() -> str:
    return secrets.token_urlsafe(32)
