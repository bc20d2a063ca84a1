"""Sends what is noted of one run, from where the last sending ended."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from ulab.tracking import words
from ulab.tracking.batches import Batch, End, Input, Request, Upload, lines, requests
from ulab.tracking.experiment import experiment_of
from ulab.tracking.place import Aim
from ulab.tracking.server import API, Server
from ulab.tracking.spool import Spool
from ulab.tracking.trouble import Refusal, Trouble

# Read at once: some thousand lines.
CHUNK = 256 * 1024
RUN_KEY = "ulab.run_key"
# How MLflow begins the sentence that says so.
PARAM_IS_SET = "Changing param values is not allowed"


def ends(trouble: Trouble, made: bool) -> bool:
    """Whether a refusal is the end of a run, and what it noted goes.

    Parameters
    ----------
    made
        Whether the server has the run. Rights to one that is there may come back, so it is asked
        again later; one that may not be made was never wanted here.
    """
    if trouble in (Trouble.AWAY, Trouble.LOGIN):
        return False
    return not (made and trouble is Trouble.FORBIDDEN)


def cause(refusal: Refusal, batch: Batch, alive: bool) -> Refusal:
    """Why what could not be halved any more was not taken: in our words, where we know.

    Parameters
    ----------
    alive
        Whether the run takes anything at all.
    """
    if not alive:
        return Refusal(refusal.trouble, words.run_was_deleted())
    kind, entry = batch.entries[0]
    if kind == "params" and refusal.sentence.startswith(PARAM_IS_SET):
        return Refusal(refusal.trouble, words.param_is_set(entry["key"], entry["value"]))
    return refusal


class Delivery:
    """One run on its way to the server.

    Attributes
    ----------
    state
        How far it is: `run_id`, `sent` (piece to bytes), `refused` (how many entries), `trouble`
        and `sentence`, `finished`.
    """

    def __init__(self, spool: Spool, server: Server) -> None:
        self.spool = spool
        self.about = spool.about()
        self.state: dict[str, Any] = {"sent": {}, "refused": 0} | spool.state()
        self._server = server
        self._workspace: str | None = self.about.get("aim", {}).get("workspace")
        self.sent_at = 0.0

    @property
    def finished(self) -> bool:
        return bool(self.state.get("finished"))

    def waiting(self) -> int:
        """How many bytes of lines are not sent."""
        return self.spool.waiting(self.state["sent"])

    def send(self, owned: bool, parent: str | None = None) -> None:
        """Make the run if it isn't there yet, and send all that is noted.

        Parameters
        ----------
        owned
            Whether its kernel is still in the block; without one the run is ended.
        parent
            The run it is nested in.

        Raises
        ------
        Refusal
            The server can't be asked just now.
        """
        try:
            if "run_id" not in self.state:
                self._make(parent)
            for piece in self.spool.pieces():
                self._send_piece(piece, owned)
            if not self.waiting() and ("end" in self.state or not owned):
                self._finish()
        except Refusal as refusal:
            final = ends(refusal.trouble, made="run_id" in self.state)
            self.note(refusal, final)
            if not final:
                raise
        else:
            if self.state.get("trouble"):
                del self.state["trouble"], self.state["sentence"]
                self._save()

    def note(self, refusal: Refusal, finished: bool = False) -> None:
        """Let the kernel know what stands in the way."""
        found: dict[str, Any] = {"trouble": str(refusal.trouble), "sentence": refusal.sentence}
        if finished:
            found["finished"] = True
        if any(self.state.get(name) != value for name, value in found.items()):
            self.state |= found
            self._save()

    def _save(self) -> None:
        self.spool.write_state(self.state)

    def _make(self, parent: str | None) -> None:
        experiment = experiment_of(self._server, Aim(**self.about["aim"]))
        found = self._made_before(experiment) if self.state.get("making") else None
        if found is None:
            # Said before it is asked: should the answer be lost, it is looked for.
            self.state["making"] = True
            self._save()
            tags = self.about["tags"] | {RUN_KEY: self.about["key"]}
            if parent:
                tags["mlflow.parentRunId"] = parent
            found = self._server.post(
                "/runs/create",
                self._workspace,
                {
                    "experiment_id": experiment,
                    "run_name": self.about["name"] or "",
                    "start_time": self.about["start"],
                    "user_id": tags.get("mlflow.user", ""),
                    "tags": [{"key": key, "value": value} for key, value in tags.items()],
                },
            )["run"]["info"]
        for name in ("run_id", "experiment_id", "artifact_uri", "run_name"):
            self.state[name] = str(found.get(name, ""))
        del self.state["making"]
        self._save()

    def _made_before(self, experiment: str) -> dict[str, Any] | None:
        key = self.about["key"]
        answer = self._server.post(
            "/runs/search",
            self._workspace,
            {"experiment_ids": [experiment], "filter": f"tags.`{RUN_KEY}` = '{key}'"},
        )
        runs = answer.get("runs") or []
        return runs[0]["info"] if runs else None

    def _send_piece(self, piece: Path, owned: bool) -> None:
        sent = self.state["sent"]
        while True:
            start = sent.get(piece.name, 0)
            try:
                with piece.open("rb") as file:
                    file.seek(start)
                    data = file.read(CHUNK)
                    # A line longer than that: parameters of thousands of characters each.
                    while data and b"\n" not in data and (more := file.read(CHUNK)):
                        data += more
            except FileNotFoundError:
                # Given up to make room.
                return
            if b"\n" not in data:
                if data and not owned:
                    # Torn by the death of its writer.
                    sent[piece.name] = start + len(data)
                break
            for request in requests(lines(data, start), start):
                self._send(request)
                sent[piece.name] = request.end
                self._save()
            # Also past lines that were none of ours.
            sent[piece.name] = start + data.rfind(b"\n") + 1
        self._save()
        self._remove_if_done(piece, owned)

    def _remove_if_done(self, piece: Path, owned: bool) -> None:
        writer, _, number = piece.stem.rpartition("-")
        further = piece.with_name(f"{writer}-{int(number) + 1}.jsonl")
        if not owned or further.exists():
            try:
                if piece.stat().st_size <= self.state["sent"].get(piece.name, 0):
                    piece.unlink()
                    self.state["sent"].pop(piece.name, None)
            except FileNotFoundError:
                pass

    def _send(self, request: Request) -> None:
        self.sent_at = time.monotonic()
        if isinstance(request, End):
            # Sent when every line is, those of other writers too.
            self.state["end"] = [request.status, request.at]
        elif isinstance(request, Batch):
            self._send_batch(request)
            noted = [entry["timestamp"] for name, entry in request.entries if name == "metrics"]
            self.state["last"] = max(noted, default=self.state.get("last"))
        else:
            try:
                if isinstance(request, Input):
                    body = {"run_id": self.state["run_id"], "datasets": [request.dataset]}
                    self._server.post("/runs/log-inputs", self._workspace, body)
                else:
                    self._upload(request)
            except Refusal as refusal:
                if refusal.trouble is not Trouble.REFUSED:
                    raise
                self._pass_over(1, refusal)

    def _send_batch(self, batch: Batch) -> None:
        try:
            self._server.post(
                "/runs/log-batch", self._workspace, {"run_id": self.state["run_id"], **batch.body()}
            )
        except Refusal as refusal:
            if refusal.trouble is not Trouble.REFUSED:
                raise
            alive = self._alive()
            if len(batch.entries) > 1 and alive:
                for half in batch.halves():
                    self._send_batch(half)
            else:
                self._pass_over(len(batch.entries), cause(refusal, batch, alive))

    def _alive(self) -> bool:
        """Whether the run takes anything; a deleted one takes nothing, and says so each time."""
        answer = self._server.get(f"{API}/runs/get", self._workspace, run_id=self.state["run_id"])
        return str(answer["run"]["info"].get("lifecycle_stage")) == "active"

    def _upload(self, upload: Upload) -> None:
        root = self.state["artifact_uri"]
        file = self.spool.folder / upload.file
        if not root.startswith("mlflow-artifacts:/"):
            raise Refusal(Trouble.REFUSED, words.files_elsewhere(root))
        below = root.removeprefix("mlflow-artifacts:").lstrip("/")
        try:
            self._server.upload(file, f"{below}/{upload.name}", self._workspace)
        except OSError as error:
            raise Refusal(Trouble.REFUSED, str(error)) from None
        file.unlink(missing_ok=True)

    def _pass_over(self, count: int, refusal: Refusal) -> None:
        self.state["refused"] += count
        self.state.setdefault("refusal", refusal.sentence)

    def _finish(self) -> None:
        status, at = self.state.get("end") or ("KILLED", self._last_moment())
        self._server.post(
            "/runs/update",
            self._workspace,
            {"run_id": self.state["run_id"], "status": status, "end_time": at},
        )
        self.state["finished"] = True
        self._save()

    def _last_moment(self) -> int:
        """When a run whose kernel died was last heard of, in milliseconds."""
        return int(self.state.get("last") or self.about["start"])
