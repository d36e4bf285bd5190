"""Settings: read once from the environment; an unknown or malformed one stops the server with one clear line."""

import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from controlplane.domain.access import Admission, Role
from controlplane.domain.destination import Allowed, read_allowed
from controlplane.domain.origins import read_origins
from controlplane.domain.retention import Retention
from controlplane.domain.snapshot import Clockwork

PREFIX = "THROWBAR_"
# Up to the last @: a password may hold one that nobody escaped. What follows the ? may hold a password as well.
_PASSWORD = re.compile(r"(?<=://)[^/@]*:.*@|\?.*$")
_DOMAIN = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")
SDK_NAMES = {"URL", "TOKEN", "SERVICE", "BACKUP_FILE", "OVERRIDE_FILE", "OVERRIDE"}
# What Kubernetes injects for a Service named throwbar; THROWBAR_PORT=tcp://… among them.
_KUBERNETES = ("SERVICE_HOST", "SERVICE_PORT", "PORT_")


class SettingsError(Exception):
    """One line for the operator."""


class Settings(BaseModel):
    """Every `THROWBAR_<NAME>` in upper case. Durations are seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    database_url: str = Field(default="sqlite:///var/throwbar.db", repr=False)  # it may hold a password
    secret_key: str | None = Field(default=None, min_length=16, repr=False)
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    tick_seconds: float = Field(default=5.0, ge=0.05, le=3600)
    bucket_seconds: int = Field(default=10, ge=1, le=3600)
    seal_seconds: float = Field(default=20.0, ge=0.2, le=3600)
    retain_raw_hours: int = Field(default=48, ge=25, le=8760)  # more than the longest window of a guardrail, a day
    retain_minute_days: int = Field(default=14, ge=1, le=3650, validate_default=True)
    retain_hour_days: int = Field(default=400, ge=1, le=3650, validate_default=True)
    retain_decision_days: int = Field(default=90, ge=1, le=3650)
    log_format: Literal["text", "json"] = "text"
    admin_email: str | None = None
    admin_password: str | None = Field(default=None, min_length=12, repr=False)
    bootstrap_admin_token: str | None = Field(default=None, min_length=16, repr=False)
    bootstrap_sdk_token: str | None = Field(default=None, min_length=16, repr=False)

    webhook_allow_private: str | None = Field(default=None, min_length=1)
    ofrep_origins: str | None = None  # separated by commas

    oidc_issuer: str | None = None
    oidc_client_id: str | None = Field(default=None, min_length=1)
    oidc_client_secret: str | None = Field(default=None, min_length=1, validate_default=True, repr=False)
    oidc_label: str | None = Field(default=None, min_length=1, max_length=40)
    oidc_domains: str | None = None  # separated by commas
    oidc_default_role: Role | None = None

    @field_validator("webhook_allow_private")
    @classmethod
    def _hosts_and_networks(cls, text: str | None) -> str | None:
        if text is not None:
            read_allowed(text)
        return text

    @field_validator("ofrep_origins")
    @classmethod
    def _origins(cls, text: str | None) -> str | None:
        if text is not None:
            read_origins(text)
        return text

    @field_validator("oidc_issuer")
    @classmethod
    def _reached_safely(cls, issuer: str | None) -> str | None:
        if issuer is not None and not is_safe_address(issuer):
            raise ValueError("must start with https://, or be an http:// address of this host")
        return issuer

    @field_validator("oidc_client_secret")
    @classmethod
    def _all_three_or_none(cls, secret: str | None, info: ValidationInfo) -> str | None:
        given = {**info.data, "oidc_client_secret": secret}
        needed = ("oidc_issuer", "oidc_client_id", "oidc_client_secret")
        missing = [f"{PREFIX}{name.upper()}" for name in needed if given.get(name) is None]
        if 0 < len(missing) < len(needed):
            raise ValueError(f"OpenID Connect needs issuer, client and secret: set {' and '.join(missing)}, too")
        return secret

    @field_validator("oidc_label", "oidc_domains", "oidc_default_role")
    @classmethod
    def _with_a_provider(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None and info.data.get("oidc_issuer") is None:
            raise ValueError("means nothing without THROWBAR_OIDC_ISSUER: set it, too, or unset this")
        return value

    @field_validator("oidc_domains")
    @classmethod
    def _named_domains(cls, domains: str | None) -> str | None:
        if domains is not None and not all(map(_DOMAIN.fullmatch, _separated(domains))):
            raise ValueError("must be domains like example.org, separated by commas")
        return domains

    @field_validator("oidc_default_role")
    @classmethod
    def _not_for_everybody(cls, role: Role | None, info: ValidationInfo) -> Role | None:
        if role is not None and not info.data.get("oidc_domains"):
            raise ValueError("would let in whoever has an account at the provider: set THROWBAR_OIDC_DOMAINS, too")
        return role

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, url: str) -> str:
        if not url.startswith(("sqlite:///", "postgresql+psycopg://")):
            message = "must start with sqlite:/// or postgresql+psycopg://"
            raise ValueError(message)
        return url

    @field_validator("retain_minute_days", "retain_hour_days")
    @classmethod
    def _coarser_is_kept_longer(cls, days: int, info: ValidationInfo) -> int:
        finer = info.data.get("retain_minute_days", 0) if info.field_name == "retain_hour_days" else 0
        hours = max(finer * 24, info.data.get("retain_raw_hours", 0))
        if days * 24 < hours:
            message = f"must be at least {-(-hours // 24)}, since finer telemetry is kept as long"
            raise ValueError(message)
        return days

    @property
    def clockwork(self) -> Clockwork:
        retention = Retention(
            raw=timedelta(hours=self.retain_raw_hours),
            minutes=timedelta(days=self.retain_minute_days),
            hours=timedelta(days=self.retain_hour_days),
            decisions=timedelta(days=self.retain_decision_days),
        )
        return Clockwork(self.bucket_seconds, self.seal_seconds, retention)

    @property
    def allowed(self) -> Allowed:
        """Where webhooks may lead to beyond the public internet."""
        return read_allowed(self.webhook_allow_private) if self.webhook_allow_private else Allowed()

    @property
    def origins(self) -> frozenset[str]:
        """Whose pages may ask by OFREP from a browser."""
        return read_origins(self.ofrep_origins) if self.ofrep_origins else frozenset()

    @property
    def admission(self) -> Admission:
        """Whom the identity provider may vouch for."""
        domains = frozenset(_separated(self.oidc_domains)) if self.oidc_domains else frozenset[str]()
        return Admission(self.oidc_label or "OpenID Connect", domains, self.oidc_default_role)

    @property
    def is_embedded(self) -> bool:
        """SQLite: one host, and files of ours beside the database."""
        return self.database_url.startswith("sqlite")

    @property
    def folder(self) -> Path:
        """Where files of ours lie: beside the SQLite database, else `var`."""
        if not self.is_embedded:
            return Path("var")
        return Path(self.database_url.removeprefix("sqlite:///")).parent


SECRET = frozenset(
    {"secret_key", "admin_password", "bootstrap_admin_token", "bootstrap_sdk_token", "oidc_client_secret"}
)


def shown_settings(settings: Settings) -> dict[str, str]:
    """Every setting for people to see: secrets as set or not set, the password taken out of the database's address."""
    found = {}
    for name in Settings.model_fields:
        value = getattr(settings, name)
        if name in SECRET:
            found[name] = "not set" if value is None else "set, not shown"
        elif name == "database_url":
            found[name] = _PASSWORD.sub("…", str(value))
        else:
            found[name] = "not set" if value is None else str(value)
    return found


def read_settings(environment: Mapping[str, str]) -> Settings:
    """The settings of this process. Raises SettingsError with one line that names the variable."""
    values: dict[str, str] = {}
    for variable, value in environment.items():
        name = variable.removeprefix(PREFIX)
        if variable == name or name in SDK_NAMES or _from_kubernetes(name, value):
            continue
        if name.lower() not in Settings.model_fields:
            message = f"{variable} is not a setting of Throwbar: see docs/settings.md, or unset it"
            raise SettingsError(message)
        values[name.lower()] = value
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        message = f"{PREFIX}{str(first['loc'][0]).upper()}: {first['msg'].removeprefix('Value error, ')}"
        raise SettingsError(message) from None


def is_safe_address(address: str) -> bool:
    """Whether nobody between here and there can read along: https, or this host."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    here = parts.hostname in {"127.0.0.1", "::1", "localhost"}
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and here))


def _separated(domains: str) -> list[str]:
    return [each.strip().lower() for each in domains.split(",")]


def _from_kubernetes(name: str, value: str) -> bool:
    return name.startswith(_KUBERNETES) or (name == "PORT" and value.startswith("tcp://"))
