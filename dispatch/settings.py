"""Every setting, once: read by `web.app` and `dispatch.cli`, passed on as arguments."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator, AnyHttpUrl, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from dispatch.errors import NoDistrict
from dispatch.signing import key_of

GRIDS: Final = Path(__file__).resolve().parent.parent / "data" / "grids"
"""Where the district folders of a checkout are."""


def default_data_dir() -> Path:
    """Root's private database runs as another user, who must be able to reach the folder."""
    if os.name == "posix" and os.geteuid() == 0:
        return Path("/var/lib/onegrid")
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "onegrid"


def _each_a_key(secrets: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
    for secret in secrets:
        key_of(secret.get_secret_value())
    return secrets


Secrets = Annotated[
    tuple[SecretStr, ...],
    BeforeValidator(lambda given: [given] if isinstance(given, str) else given),
    Field(min_length=1),
    AfterValidator(_each_a_key),
]
"""One secret, or several while one is being changed."""


class Webhook(BaseModel):
    """Who is told of every event."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    name: Annotated[str, Field(pattern="^[a-z0-9][a-z0-9_-]{0,49}$")]
    url: AnyHttpUrl
    secret: Secrets

    def keys(self) -> list[bytes]:
        """By which what is sent is signed."""
        return [key_of(secret.get_secret_value()) for secret in self.secret]


def _named_once(webhooks: tuple[Webhook, ...]) -> tuple[Webhook, ...]:
    if len({one.name for one in webhooks}) < len(webhooks):
        raise ValueError("each webhook has a name of its own")
    return webhooks


class Settings(BaseSettings):
    """Environment variables with the prefix `ONEGRID_`; command line options go before them."""

    # What is wrong is told without the value: it may be a secret.
    model_config = SettingsConfigDict(env_prefix="ONEGRID_", extra="ignore", hide_input_in_errors=True)

    database_url: str | None = Field(None, description="Any PostGIS (postgresql://…). Unset: the private one.")
    owner_url: str | None = Field(None, description="That database as its owner, who migrates it. Unset: the same.")
    data_dir: Path = Field(default_factory=default_data_dir, description="Where the private database lives.")
    district: Path | None = Field(None, description="The district folder. Unset: the only one under data/grids.")
    osm_extract: Path | None = Field(None, description="An OpenStreetMap extract (.osm.pbf) to drive over.")
    host: str = Field("127.0.0.1", description="Address to listen on; loopback only until there are accounts.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on.")
    demonstration: bool = Field(False, description="Say on pages and in files that the cases are made.")
    pool_size: int = Field(10, ge=1, le=200, description="Database connections of one worker.")
    photo_limit_mb: float = Field(20, gt=0, description="Largest photo taken in, before it is made smaller.")
    evidence_limit_mb: float = Field(100, gt=0, description="Largest original of evidence taken in.")
    max_age_days: int = Field(366, ge=1, description="Reports seen longer ago than this are refused.")
    batch_limit: int = Field(10_000, ge=1, description="Most rows of one POST /api/reports/batch.")
    position_stale_s: int = Field(300, ge=1, description="Seconds after which a unit's position counts no more.")
    checkpoint_minutes: float = Field(10, ge=0, description="Minutes between checkpoints of the record; 0: none.")
    checkpoint_key: Path | None = Field(None, description="The key that signs them. Unset: one in the data folder.")
    oversee_s: float = Field(15, ge=0, description="Seconds between rounds of the overseer; 0: there is none.")
    offer_s: float = Field(20, ge=0, description="Seconds between looks for a unit for cases that wait; 0: never.")
    offer_hold_s: float = Field(120, ge=0, description="Seconds left for assigning all at once, where better; 0: none.")
    track_days: int = Field(90, ge=1, description="Days for which the ways of units are kept.")
    source_secrets: dict[str, Secrets] = Field({}, description="By source, what its messages are signed with (JSON).")
    webhooks: Annotated[tuple[Webhook, ...], AfterValidator(_named_once)] = Field(
        (), description="Who is told of every event: name, url, secret (JSON)."
    )

    def derived_dir(self) -> Path:
        """Where what is derived from districts is kept between starts; it may be deleted at any time."""
        return self.data_dir / "derived"

    def key_file(self) -> Path:
        """Where the key is that signs checkpoints."""
        return self.checkpoint_key or self.data_dir / "checkpoint.key"

    def source_keys(self, source: str) -> list[bytes]:
        """By which a source's messages may be signed; none: it was not set up."""
        return [key_of(secret.get_secret_value()) for secret in self.source_secrets.get(source, ())]

    def district_folder(self) -> Path:
        """The chosen folder. Raises `NoDistrict` when none is chosen and `GRIDS` does not hold exactly one."""
        if self.district is not None:
            return self.district
        found = sorted(path.parent for path in GRIDS.glob("*/district.toml"))
        if len(found) != 1:
            raise NoDistrict(found=", ".join(path.name for path in found) or "—")
        return found[0]
