"""Tell a person why their kernel died, below the cell that was running."""

from __future__ import annotations

import json
import os
import signal
from typing import Any

from jupyter_client.session import DELIM
from jupyter_server.services.kernels.connection.base import serialize_msg_to_ws_v1
from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection

from ulab_core.i18n import mark, translations

KILLED = mark(
    "The kernel was ended because your server ran out of memory ({limit} for everything that "
    "runs in it). It starts again, empty: run your cells from the top, with less data at once. "
    "Your files are safe."
)
DIED = mark(
    "The kernel ended unexpectedly (status {status}). It starts again, empty: run your cells from "
    "the top. Your files are safe."
)


def explanation(status: int | None, memory_mb: str, language: str) -> str | None:
    """What to say about a kernel's exit status, or None when nothing is known."""
    if status is None:
        return None
    text = KILLED if status in (-signal.SIGKILL, 128 + signal.SIGKILL) else DIED
    limit = f"{int(memory_mb) / 1024:.3g} GiB" if memory_mb.isdigit() else "?"
    return str(translations(language).gettext(text)).format(limit=limit, status=status)


class TellingConnection(ZMQChannelsWebsocketConnection):
    """A browser's connection to a kernel, which also hears why the kernel died."""

    _running: dict[str, Any] | None = None

    def handle_outgoing_message(self, stream: Any, outgoing_msg: list[bytes]) -> None:
        self._note_running_cell(outgoing_msg)
        super().handle_outgoing_message(stream, outgoing_msg)

    def _note_running_cell(self, msg_list: list[bytes]) -> None:
        """Remember whose request the kernel began to execute last."""
        if DELIM not in msg_list:
            return
        header, parent = msg_list[msg_list.index(DELIM) + 2 :][:2]
        if b'"execute_input"' in header:
            self._running = json.loads(parent)

    def on_kernel_restarted(self) -> None:
        # Before the news of the restart, after which JupyterLab takes no more output for the cell.
        process = getattr(self.kernel_manager.provisioner, "process", None)
        said = explanation(
            process.poll() if process is not None else None,
            os.environ.get("ULAB_MEMORY_MB", ""),
            os.environ.get("ULAB_LANGUAGE", "zh"),
        )
        if said is not None and self._running is not None:
            self._send_below_cell(said, self._running)
        super().on_kernel_restarted()

    def _send_below_cell(self, text: str, parent: dict[str, Any]) -> None:
        content = {"name": "stderr", "text": text + "\n"}
        message = self.session.msg("stream", content, parent=parent)
        if self.subprotocol == "v1.kernel.websocket.jupyter.org":
            packed = serialize_msg_to_ws_v1(message, "iopub", self.session.pack)
            self.write_message(packed, binary=True)
        else:
            message["channel"] = "iopub"
            self.write_message(json.dumps(message, default=str))
