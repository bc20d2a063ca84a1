"""Start each Jupyter server in a sandbox of its own, and find it again after a restart."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import hashlib
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any

from jupyterhub.spawner import LocalProcessSpawner, SpawnException
from traitlets import Instance, List, Unicode

from ulab_core.database import Database
from ulab_core.errors import UserError
from ulab_core.i18n import mark
from ulab_core.layout import Layout
from ulab_core.settings import Settings, load_settings
from ulab_hub import profiles
from ulab_hub.language import current_language, translate
from ulab_hub.residents import Resident, settle
from ulab_hub.singleuser.start import LISTEN_VARIABLE
from ulab_hub.student_sandbox import build
from ulab_hub.warm_start import MODULE, OFF, Started, start_server
from ulab_runtime.limits import Group
from ulab_runtime.lives import Life, command_in_sandbox
from ulab_runtime.sandbox import SandboxSpec
from ulab_runtime.waiting import NotSetUp

POLL_S = 0.05
SLOWER = mark("The fast start isn't available right now, so this takes some seconds longer.")


class SandboxSpawner(LocalProcessSpawner):
    """Starts ``jupyterhub-singleuser`` in a bubblewrap sandbox with limits."""

    gpu_nodes = List(
        Unicode(), list(profiles.GPU_NODES), help="Patterns of the device nodes of GPUs."
    ).tag(config=True)
    gpu_companions = List(
        Unicode(),
        list(profiles.GPU_COMPANIONS),
        help="Patterns of device nodes that a GPU can't be used without.",
    ).tag(config=True)

    # Whoever polls meanwhile must not tidy up after the next start.
    _one_poll = Instance(asyncio.Lock, ())
    _life: Life | None = None
    _forked: Life | None = None
    _why_cold: str = ""
    _group: Group | None = None
    teams: Mapping[str, bool] = MappingProxyType({})
    """The teams whose folders the server has, and whether it may write in them."""

    def _env_keep_default(self) -> list[str]:
        return []  # the hub's own environment is nobody's business

    @property
    def site(self) -> Settings:
        return load_settings()

    @property
    def profiles(self) -> dict[str, profiles.Profile]:
        return profiles.offered(profiles.Inventory.detect(self.gpu_nodes, self.gpu_companions))

    def _options_form_default(self) -> Any:
        return lambda spawner: profiles.form(
            spawner.profiles,
            spawner.site.limits.cpus,
            spawner.site.limits.memory_mb,
            translate,
        )

    def _options_from_form_default(self) -> Any:
        return profiles.from_form

    def _apply_user_options_default(self) -> Any:
        # Checked when the server starts; here it only says that options are expected.
        return lambda spawner, options: None

    def get_env(self) -> dict[str, str]:
        # Not LocalProcessSpawner's: that asks the machine's own list of users.
        env: dict[str, str] = super(LocalProcessSpawner, self).get_env()
        return {name: str(value) for name, value in env.items()}

    async def start(self) -> tuple[str, int]:
        """Start the server.

        Raises
        ------
        SpawnException
            It can't be started, with a sentence for the person who asked.
        """
        listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        try:
            # The server inherits the listening socket: a port that was only chosen here could be
            # taken by another student's process before the server gets to it.
            self.port = listener.getsockname()[1]
            spec = await self._specify(listener.fileno())
            with self._log_file() as log:
                self._adopt(await asyncio.to_thread(self._launch, spec, log, listener.fileno()))
        except NotSetUp as error:
            self.log.error("The sandbox ended at once: %s", _tail(self._log_path))
            raise self._refusal(error, "sandbox") from error
        except UserError as error:
            raise self._refusal(error, type(error).__name__) from error
        except OSError as error:
            self.log.exception("The server of %s can't be started", self.user.name)
            raise self._refusal(
                UserError(
                    mark(
                        "The server could not be started: {reason}. If trying again doesn't "
                        "help, tell an administrator."
                    ),
                    reason=error.strerror or error,
                ),
                "machine",
            ) from error
        finally:
            listener.close()
        return "127.0.0.1", self.port

    async def _specify(self, listen_fd: int) -> SandboxSpec:
        profile = profiles.choose(self.user_options, self.profiles)
        site = self.site
        resident = await asyncio.to_thread(self._settle, site)
        self.teams = resident.teams
        if resident.course is not None:
            self.default_url = "/formgrader"
        env = {**self.get_env(), LISTEN_VARIABLE: str(listen_fd)}
        # Isolated: the person's own packages are for their kernels, not for the server.
        command = [sys.executable, "-I", "-m", MODULE, *self.get_args()]
        return build(site, Layout.of(site), resident, profile, command, env)

    def _settle(self, site: Settings) -> Resident:
        database = Database.of(site)
        try:
            # The pages that led here spoke the language of this request.
            return settle(site, database, self.user.name, self.name, current_language())
        finally:
            database.engine.dispose()

    def _launch(self, spec: SandboxSpec, log: IO[bytes], listen_fd: int) -> Started:
        site = self.site
        fork_server = Layout.of(site).fork_for_base("server") if site.warm.enabled else None
        return start_server(spec, fork_server, self.get_args(), listen_fd, log, self._group_name())

    def _group_name(self) -> str:
        """Names the server's cgroups; another base on this machine may have the same people."""
        base = hashlib.sha256(os.fsencode(self.site.server.state_dir)).hexdigest()[:12]
        return f"{base}-{self.user.name}@{self.name}"

    @property
    def _log_path(self) -> Path:
        return Layout.of(self.site).logs / "servers" / f"{self.user.name}@{self.name}.log"

    def _log_file(self) -> IO[bytes]:
        """The server's log, begun anew; the hub's to read, not the student's to open."""
        path = self._log_path
        path.parent.mkdir(mode=0o700, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_NOFOLLOW
        return os.fdopen(os.open(path, flags, 0o600), "wb")

    def _adopt(self, started: Started) -> None:
        sandbox = started.sandbox
        self.proc = sandbox.process
        self.pid = sandbox.process.pid
        self._group = sandbox.group
        self._forked = started.server
        self._why_cold = started.why_cold
        with contextlib.suppress(ProcessLookupError):
            self._life = Life.of(self.pid)

    def _refusal(self, error: UserError, reason: str) -> SpawnException:
        said = error.sentence(translate)
        refusal = SpawnException(
            said,
            reason=reason,
            log_message=str(error).replace("%", "%%"),
            status_code=error.status,
        )
        refusal.jupyterhub_message = said  # what the start page shows
        return refusal

    async def poll(self) -> int | None:
        """None while the server runs, else its exit status, 0 when it isn't known."""
        async with self._one_poll:
            return await self._poll()

    async def _poll(self) -> int | None:
        status = self._sandbox_status()
        if status is None and (self._forked is None or self._forked.lasts()):
            return None
        if status is None:
            # A forked server has ended, and its sandbox would stay.
            self._kill_sandbox()
            await self._wait_for_sandbox()
            status = 0
        await self._clean_up()
        self.clear_state()
        return status

    def _sandbox_status(self) -> int | None:
        if self.proc is not None:
            return self.proc.poll()
        return None if self._life is not None and self._life.lasts() else 0

    def _kill_sandbox(self) -> None:
        # Everything inside dies with the outermost process.
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    async def _wait_for_sandbox(self) -> None:
        until = time.monotonic() + self.kill_timeout
        while self._sandbox_status() is None and time.monotonic() < until:
            await asyncio.sleep(POLL_S)

    async def stop(self, now: bool = False) -> None:
        """End the server: politely, so that it can end its kernels, unless `now`."""
        if await self.poll() is not None:
            return
        if not now:
            inside = self._forked.pid if self._forked else command_in_sandbox(self.pid)
            if inside is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(inside, signal.SIGTERM)
                await self.wait_for_death(self.term_timeout)
        if await self.poll() is not None:
            return
        self._kill_sandbox()
        await self.wait_for_death(self.kill_timeout)
        if await self.poll() is None:
            self.log.warning("The server of %s can't be killed", self.user.name)

    async def _clean_up(self) -> None:
        group, self._group = self._group, None
        if group is not None:
            await asyncio.to_thread(group.end)

    def get_state(self) -> dict[str, Any]:
        state: dict[str, Any] = super().get_state()
        if self._life is not None:
            state["life"] = dataclasses.astuple(self._life)
        if self._forked is not None:
            state["server"] = dataclasses.astuple(self._forked)
        if self.teams:
            state["teams"] = dict(self.teams)
        if self._group is not None:
            state["groups"] = [str(folder) for folder in self._group.folders]
        return state

    def load_state(self, state: dict[str, Any]) -> None:
        super().load_state(state)
        if "life" in state:
            self._life = Life(*state["life"])
        if "server" in state:
            self._forked = Life(*state["server"])
        self.teams = state.get("teams", {})
        if "groups" in state:
            self._group = Group([Path(folder) for folder in state["groups"]])

    def clear_state(self) -> None:
        super().clear_state()
        self._life = self._forked = None
        self.teams = MappingProxyType({})
        self.proc = None  # type: ignore[assignment]

    async def progress(self) -> AsyncIterator[dict[str, Any]]:
        """What the waiting person reads, in their language."""
        yield {"progress": 10, "message": translate(mark("Preparing your home and sandbox…"))}
        while self._life is None:
            await asyncio.sleep(POLL_S)
        yield {"progress": 40, "message": translate(mark("Starting JupyterLab…"))}
        if self._why_cold not in ("", OFF):
            yield {"progress": 45, "message": translate(SLOWER)}
        await asyncio.sleep(8)
        yield {
            "progress": 70,
            "message": translate(mark("Still starting: many may be starting at once.")),
        }


def _tail(path: Path, size: int = 4000) -> str:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - size))
        return file.read().decode(errors="replace")
