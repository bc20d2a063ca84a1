"""Reads single runs and models of a workspace as the platform, for pages that show them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from ulab_core.errors import NotFound
from ulab_core.i18n import mark
from ulab_core.settings import Settings
from ulab_mlflow.admin import GONE, Admin, MlflowRefusal
from ulab_mlflow.answers import moment, number
from ulab_mlflow.artifacts import place_of, workspace_folder
from ulab_mlflow.cards import PREFIX, CardField, card_of, missing, promoted

_API = "2.0/mlflow/"
MOST_POINTS = 300
_GONE = frozenset({GONE, "INVALID_PARAMETER_VALUE", "NOT_FOUND"})


class Data(NamedTuple):
    """A data set that a run says it used."""

    name: str
    digest: str
    context: str


@dataclass(frozen=True)
class Run:
    """A run as it is shown."""

    id: str
    name: str
    experiment: str
    status: str
    started: datetime | None
    ended: datetime | None
    note: str
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    """Name to the last value."""
    tags: Mapping[str, str]
    """Without MLflow's own, which tell of the notebook's machine and paths."""
    data: tuple[Data, ...]
    files: Path | None
    """Where its files lie; None when they lie nowhere that can be shown."""


@dataclass(frozen=True)
class Version:
    """A version of a registered model as it is shown."""

    model: str
    number: str
    aliases: tuple[str, ...]
    stage: str
    description: str
    created: datetime | None
    run_id: str
    card: Mapping[CardField, str]
    missing: tuple[CardField, ...]
    tags: Mapping[str, str]
    """Besides the card."""

    @property
    def promoted(self) -> bool:
        return promoted(self.aliases, self.stage)


class Reader:
    """Reads MLflow over its socket; each question names the workspace it is limited to."""

    def __init__(self, admin: Admin, settings: Settings) -> None:
        self._admin = admin
        self._settings = settings

    @classmethod
    def of(cls, settings: Settings) -> Reader:
        return cls(Admin.of(settings), settings)

    def run(self, workspace: str, run_id: str) -> Run:
        """One run of a workspace.

        Raises
        ------
        NotFound
            There is none of this id in this workspace, or it was deleted.
        MlflowDown
            MLflow doesn't answer.
        """
        found = self._ask(workspace, "runs/get", run_id=run_id)["run"]
        info, data = found["info"], found.get("data", {})
        if info.get("lifecycle_stage") == "deleted":
            raise _no_run()
        tags = _pairs(data.get("tags"))
        place = place_of(info.get("artifact_uri", ""), workspace, info["run_id"])
        return Run(
            id=info["run_id"],
            name=info.get("run_name", "") or tags.get("mlflow.runName", ""),
            experiment=self._experiment(workspace, info["experiment_id"]),
            status=info.get("status", ""),
            started=moment(info.get("start_time")),
            ended=moment(info.get("end_time")),
            note=tags.get("mlflow.note.content", ""),
            params=dict(sorted(_pairs(data.get("params")).items())),
            metrics={
                one["key"]: number(one.get("value"))
                for one in sorted(data.get("metrics", ()), key=lambda one: one["key"])
            },
            tags=_own(tags),
            data=tuple(_data(one) for one in found.get("inputs", {}).get("dataset_inputs", ())),
            files=None if place is None else workspace_folder(self._settings, workspace) / place,
        )

    def curve(self, workspace: str, run_id: str, metric: str) -> list[tuple[int, float]]:
        """Steps and values of a metric, spread evenly when there are more than `MOST_POINTS`."""
        asked = {"run_ids": [run_id], "metric_key": metric, "max_results": MOST_POINTS}
        found = self._ask(workspace, "metrics/get-history-bulk-interval", **asked)
        points = [(int(one.get("step", 0)), one.get("value")) for one in found.get("metrics", ())]
        return [(step, number(value)) for step, value in points]

    def version(self, workspace: str, model: str, number: str) -> Version:
        """One version of a model.

        Raises
        ------
        NotFound
            There is no such version in this workspace, or it was deleted.
        MlflowDown
            MLflow doesn't answer.
        """
        asked = {"name": model, "version": number}
        return _version(self._ask(workspace, "model-versions/get", **asked)["model_version"])

    def files_of(self, workspace: str, version: Version) -> Path | None:
        """Where a version's files lie; None when they lie nowhere that can be shown."""
        asked = {"name": version.model, "version": version.number}
        found = self._ask(workspace, "model-versions/get-download-uri", **asked)
        place = place_of(found.get("artifact_uri", ""), workspace, version.run_id or None)
        return None if place is None else workspace_folder(self._settings, workspace) / place

    def models(self, workspace: str) -> dict[str, list[Version]]:
        """Each registered model with its versions, the newest first."""
        found: dict[str, list[Version]] = {}
        aliases: dict[tuple[str, str], list[str]] = {}
        for one in self._all(workspace, "registered-models/search", "registered_models"):
            found[one["name"]] = []
            for given in one.get("aliases", ()):
                aliases.setdefault((one["name"], str(given["version"])), []).append(given["alias"])
        for one in self._all(workspace, "model-versions/search", "model_versions"):
            # A search tells a model's aliases, and none with the versions.
            held = aliases.get((one["name"], str(one["version"])), [])
            found.setdefault(one["name"], []).append(_version(one | {"aliases": held}))
        for versions in found.values():
            versions.sort(key=lambda version: -int(version.number))
        return dict(sorted(found.items()))

    def recent_runs(self, workspace: str, most: int = 50) -> list[Run]:
        """The runs that were started last, the newest first, as far as a list needs them."""
        experiments = {
            one["experiment_id"]: one["name"]
            for one in self._all(workspace, "experiments/search", "experiments")
        }
        if not experiments:
            return []
        asked: dict[str, Any] = {
            "experiment_ids": list(experiments),
            "max_results": most,
            "order_by": ["attributes.start_time DESC"],
        }
        answer = self._admin.call("POST", f"{_API}runs/search", inside=workspace, **asked)
        return [
            Run(
                id=one["info"]["run_id"],
                name=one["info"].get("run_name", ""),
                experiment=experiments.get(one["info"]["experiment_id"], ""),
                status=one["info"].get("status", ""),
                started=moment(one["info"].get("start_time")),
                ended=moment(one["info"].get("end_time")),
                note="",
                params={},
                metrics={},
                tags={},
                data=(),
                files=None,
            )
            for one in answer.get("runs", ())
        ]

    def write_card(
        self, workspace: str, model: str, number: str, card: Mapping[CardField, str], person: str
    ) -> None:
        """Fill in a version's card as `person`, whose rights in MLflow are asked.

        Raises
        ------
        MlflowRefusal
            They may not, or a promoted version's card would not be complete any more.
        """
        held = self.version(workspace, model, number).card
        for field, text in card.items():
            if text != held.get(field, ""):
                # Emptied rather than deleted: MLflow lets only a model's maker delete.
                self._admin.call(
                    *("POST", f"{_API}model-versions/set-tag"),
                    inside=workspace,
                    person=person,
                    name=model,
                    version=number,
                    key=field.tag,
                    value=text,
                )

    def _experiment(self, workspace: str, experiment_id: str) -> str:
        found = self._ask(workspace, "experiments/get", experiment_id=experiment_id)
        return str(found["experiment"]["name"])

    def _ask(self, workspace: str, path: str, **values: Any) -> dict[str, Any]:
        try:
            return self._admin.call("GET", _API + path, inside=workspace, **values)
        except MlflowRefusal as refusal:
            if refusal.code in _GONE:
                raise _no_run() from None
            raise

    def _all(self, workspace: str, path: str, key: str) -> Iterator[dict[str, Any]]:
        for answer in self._admin.pages("GET", _API + path, inside=workspace, max_results=1000):
            yield from answer.get(key, ())


def _no_run() -> NotFound:
    return NotFound(mark("This run or model is not in the team's workspace (any more)."))


def _version(found: Mapping[str, Any]) -> Version:
    tags = _pairs(found.get("tags"))
    return Version(
        model=found["name"],
        number=str(found["version"]),
        aliases=tuple(found.get("aliases", ())),
        stage=found.get("current_stage", "None"),
        description=found.get("description", ""),
        created=moment(found.get("creation_timestamp")),
        run_id=found.get("run_id", ""),
        card=card_of(tags),
        missing=missing(tags),
        tags={key: text for key, text in _own(tags).items() if not key.startswith(PREFIX)},
    )


def _pairs(found: Any) -> dict[str, str]:
    return {one["key"]: one.get("value", "") for one in found or ()}


def _own(tags: Mapping[str, str]) -> dict[str, str]:
    return {key: tags[key] for key in sorted(tags) if not key.startswith("mlflow.")}


def _data(found: Mapping[str, Any]) -> Data:
    context = _pairs(found.get("tags")).get("mlflow.data.context", "")
    return Data(found["dataset"]["name"], found["dataset"].get("digest", ""), context)
