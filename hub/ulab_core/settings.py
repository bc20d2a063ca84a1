"""What an operator can set: `ulab.toml`, `ULAB_…` variables, and what holds when nothing is set."""

from __future__ import annotations

import ipaddress
import os
import tomllib
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from ulab_core.i18n import mark
from ulab_core.settings_problems import BadSettings, UnusableSettings

CONFIG_VARIABLE = "ULAB_CONFIG"
DEFAULT_FILE = "ulab.toml"


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Site(_Section):
    """How the base presents itself."""

    name: str = Field("U Lab", description="The name on every page.")
    language: Literal["zh", "en"] = Field(
        "zh", description="The language for people who chose none and whose browser asks for none."
    )
    time_zone: str = Field("Asia/Shanghai", description="The zone of deadlines and shown times.")

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        # Asking for this one takes microseconds; the list of all is read from hundreds of files.
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(mark("not a time zone; write one such as Asia/Shanghai")) from None
        return value

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


class Server(_Section):
    """Where the base listens and keeps its state."""

    host: str = Field("127.0.0.1", description="The address the proxy binds.")
    port: int = Field(8000, ge=1, le=65535, description="The port the proxy binds.")
    public_url: str = Field(
        "", description="The address people type, when a reverse proxy stands in front."
    )
    state_dir: Path = Field(Path("state"), description="Everything the base stores lies in here.")

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can reach the base."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def local_url(self) -> str:
        """The address under which processes of this machine reach the proxy, without a slash."""
        host = "127.0.0.1" if self.host in ("", "0.0.0.0", "::", "localhost") else self.host
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    @property
    def browser_url(self) -> str:
        """The address to give to people, without a slash."""
        return self.public_url.rstrip("/") or self.local_url


class Database(_Section):
    """Where courses, submissions and jobs are stored."""

    url: str = Field(
        "", description="An SQLAlchemy address; empty means SQLite in the state directory."
    )


class Limits(_Section):
    """What one student's server may use."""

    memory_mb: int = Field(4096, ge=256, description="Memory in MiB, kernels included.")
    cpus: float = Field(2.0, gt=0, description="CPU cores.")
    processes: int = Field(512, ge=32, description="Processes and threads at once.")
    file_mb: int = Field(10240, ge=64, description="The largest file a process may write, in MiB.")
    idle_minutes: int = Field(
        180, ge=5, description="A server is ended when nothing happened in it for so long."
    )


class Warm(_Section):
    """What fork servers import, so that servers and kernels need not."""

    enabled: bool = Field(
        True,
        description="Fork servers and kernels from warmed parents; about 700 MiB in all, and "
        "20 to 300 for each of the last labs that were graded.",
    )
    server_modules: list[str] = Field(
        ["jupyterhub.singleuser.extension", "jupyterlab.labapp", "nbgrader.server_extensions"],
        description="What every Jupyter server needs; the rest is found by a rehearsal.",
    )
    kernel_modules: list[str] = Field(
        [
            "torch", "torchvision", "mlflow", "numpy", "pandas", "matplotlib.pyplot", "sklearn",
            "ulab",
        ],
        description="What notebooks usually import.",
    )  # fmt: skip


class Grading(_Section):
    """How submissions are graded."""

    workers: int = Field(1, ge=1, le=64, description="Processes that grade.")
    slots: int = Field(
        0,
        ge=0,
        le=64,
        description="Submissions that each of them runs at once; 0 for one a core.",
    )
    cell_timeout_s: int = Field(60, ge=1, description="Seconds one cell may run.")
    job_timeout_s: int = Field(600, ge=1, description="Seconds a whole submission may take.")
    memory_mb: int = Field(2048, ge=256, description="Memory of one grading sandbox in MiB.")
    max_notebook_mb: int = Field(20, ge=1, description="The largest notebook taken, in MiB.")


class Mlflow(_Section):
    """The server that experiments are tracked with."""

    workers: int = Field(1, ge=1, le=32, description="Processes that serve it; about 300 MiB each.")
    database_url: str = Field(
        "", description="An SQLAlchemy address; empty means SQLite in the state directory."
    )
    max_artifact_mb: int = Field(
        2048, ge=1, description="The largest file that can be kept with a run, in MiB."
    )


class Datasets(_Section):
    """Where data sets are kept besides the state directory, and how much teams may add."""

    remote: str = Field(
        "",
        description="A folder, ssh://host/folder or s3://bucket/folder that DVC keeps copies in. "
        "Empty: none.",
    )
    remote_key_file: str = Field(
        "", description="For ssh: the file with the private key, which nobody else may read."
    )
    remote_known_hosts: str = Field(
        "", description="For ssh: the file with the keys of known hosts. Empty: ~/.ssh/known_hosts."
    )
    remote_endpoint: str = Field("", description="For s3: the server's address, if not Amazon's.")
    remote_profile: str = Field("", description="For s3: the profile in ~/.aws/credentials.")
    team_quota_mb: int = Field(
        5120, ge=0, description="How many MB (10^6 bytes) the data sets of one team may take."
    )

    @field_validator("remote", "remote_endpoint")
    @classmethod
    def _no_password(cls, value: str) -> str:
        # Addresses are shown where something fails.
        if urlsplit(value).password is not None:
            raise ValueError(mark("write no password into an address; docs/datasets.md says where"))
        return value

    @field_validator("remote")
    @classmethod
    def _known_scheme(cls, value: str) -> str:
        if value and not value.startswith(("/", "ssh://", "s3://")):
            raise ValueError(
                mark("write a folder with its whole path, ssh://host/folder or s3://bucket/folder")
            )
        return value


class Accounts(_Section):
    """Who may have an account and how hosts' user ids are given out."""

    admin: str = Field("admin", description="The first administrator, created at the first start.")
    password_length: int = Field(10, ge=8, description="The fewest characters of a password.")
    open_signup: bool = Field(False, description="Let people in without an approval.")
    uid_base: int = Field(
        200_000,
        ge=1000,
        le=1_000_000_000,
        description="As root, person n runs as host user uid_base + n; courses' groups begin at "
        "twice it, teams' at three times.",
    )


class Settings(BaseSettings):
    """Every setting of the base, by section.

    Values come from, strongest first: keyword arguments, ``ULAB_SECTION__KEY`` variables,
    ``ulab.toml``, the defaults here.
    """

    model_config = SettingsConfigDict(
        env_prefix="ULAB_", env_nested_delimiter="__", extra="forbid", frozen=True
    )

    site: Site = Site()
    server: Server = Server()
    database: Database = Database()
    limits: Limits = Limits()
    warm: Warm = Warm()
    grading: Grading = Grading()
    mlflow: Mlflow = Mlflow()
    datasets: Datasets = Datasets()
    accounts: Accounts = Accounts()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        # What load() passes in is the file's content, so variables must win over it.
        return env_settings, init_settings


def load_settings(path: Path | None = None) -> Settings:
    """Read the settings, refusing what can't be used.

    Parameters
    ----------
    path
        The file to read. None means the file ``ULAB_CONFIG`` names, else ``ulab.toml`` in the
        working directory if there is one, else defaults alone.

    Raises
    ------
    BadSettings
        The file is missing or no TOML, a key is unknown (a near one is named), or a value is of
        the wrong kind. Or a variable names a section and no value of it.
    """
    named = path or (Path(os.environ[CONFIG_VARIABLE]) if CONFIG_VARIABLE in os.environ else None)
    file = named or Path(DEFAULT_FILE)
    content: dict[str, Any] = {}
    if named or file.is_file():
        content = _read_toml(file)
    try:
        settings = Settings(**content)
    except ValidationError as error:
        raise UnusableSettings(file, error.errors(), _known_keys(), os.environ) from None
    except SettingsError:
        sections = [f"ULAB_{name.upper()}" for name in Settings.model_fields]
        raise BadSettings(
            mark(
                "The variable {name} can't be used: a variable sets one value of a section, such "
                "as ULAB_SERVER__PORT=9000."
            ),
            name=", ".join(name for name in sections if name in os.environ),
        ) from None
    state = settings.server.state_dir
    if state.is_absolute():
        return settings
    base = file.resolve().parent if file.is_file() else Path.cwd()
    server = settings.server.model_copy(update={"state_dir": base / state})
    return settings.model_copy(update={"server": server})


def _read_toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise BadSettings(
            mark("{file} can't be read: {reason}."), file=file, reason=error.strerror or error
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSettings(mark("{file} is not TOML: {reason}."), file=file, reason=error) from None


def _known_keys() -> dict[str, list[str]]:
    """The keys of each section."""
    return {
        name: list(section.model_fields)
        for name, field in Settings.model_fields.items()
        if isinstance(section := field.annotation, type) and issubclass(section, BaseModel)
    }
