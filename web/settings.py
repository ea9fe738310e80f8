"""Settings, read once from the environment (`VIGIA_…`) and passed down as values."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import quote

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Everything that differs between one installation and the next."""

    model_config = SettingsConfigDict(env_prefix="VIGIA_", frozen=True, extra="ignore")

    database_url: str = "postgresql+psycopg://vigia@/vigia"
    database_password_file: Path | None = None
    redis_url: str | None = None
    redis_name: str = "vigia"  # keeps several installations apart on one server
    host: str = "127.0.0.1"
    port: int = 8000
    feed_address: str = "127.0.0.1:8001"  # or unix:/path
    open_database_url: str | None = None  # of the role that reads open data and nothing else
    open_database_password_file: Path | None = None
    open_address: str = "127.0.0.1:8002"  # where open data answers; or unix:/path
    public_origins: list[str] = []  # exact origins a browser may come from; empty: the host that was asked
    secure_cookies: bool = False  # true behind TLS: the cookie becomes __Host-
    trusted_proxies: list[str] = ["127.0.0.1"]  # whose X-Forwarded-For is believed
    data: Path = Path("var")
    demo: bool = False
    demo_network: Path | None = None  # coquimbo.zip
    demo_seed: int | None = None
    language: str = "es_AR"
    timezone: str = "America/Argentina/Buenos_Aires"
    public_reports_per_hour: int = 60  # from one address; many neighbours share one on mobile networks
    valhalla_url: str | None = None  # a Valhalla to compare our travel times with; no dispatch ever waits for it
    geocoder: Literal["georef", "nominatim", "photon"] | None = None  # asked when our own index is unsure
    geocoder_url: str | None = None  # where its paths begin; Georef has one of its own
    mqtt_url: str | None = None  # the broker of telephones with OwnTracks: mqtt://host:1883 or mqtts://host:8883
    mqtt_username: str | None = None
    mqtt_password_file: Path | None = None
    mqtt_topic: str = "owntracks/+/+"
    mqtt_share: str | None = None  # a group, where several processes share the messages (MQTT 5)
    past_days: Annotated[int, Field(ge=8, le=3660)] = 365  # how long past hours can be looked at
    documentation: bool = True  # OpenAPI at /api/v1/openapi.json

    @property
    def database(self) -> str:
        """The database address with its password read from the secret's file, where there is one."""
        if self.database_password_file is None:
            return self.database_url
        password = quote(SecretStr(self.database_password_file.read_text().strip()).get_secret_value(), safe="")
        user, _, rest = self.database_url.partition("@")
        return f"{user}:{password}@{rest}"

    @property
    def open_database_password(self) -> str | None:
        """The password of the role for open data, where a file holds one."""
        file = self.open_database_password_file
        return None if file is None else file.read_text().strip()

    @property
    def mqtt_password(self) -> str | None:
        """The password at the broker, where a file holds one."""
        return None if self.mqtt_password_file is None else self.mqtt_password_file.read_text().strip()

    @property
    def address(self) -> str:
        """Where this machine's own programs reach the web process."""
        return f"http://{self.host}:{self.port}"
