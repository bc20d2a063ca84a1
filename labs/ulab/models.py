"""Registers a model with its card filled in as far as the run that made it knows."""

from __future__ import annotations

import json
import os
import sys
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from ulab.language import say

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import FileInfo, Run
    from mlflow.entities.model_registry import ModelVersion

# By whatever tracked the run: U Lab's own hash of the notebook, else the commit of a script.
CODE_TAGS = ("ulab.notebook_sha256", "mlflow.source.git.commit")


def register(
    model_uri: str,
    name: str,
    *,
    licence: str = "",
    intended_use: str = "",
    data_revision: str = "",
    code_sha256: str = "",
    owner: str = "",
    alias: str = "",
    workspace: str | None = None,
) -> ModelVersion:
    """Register a new version of a model, with its card.

    Parameters
    ----------
    model_uri
        What was logged, such as ``runs:/<run>/model`` or ``models:/<model id>``.
    name
        The registered model; it is made when there is none of this name.
    licence
        An SPDX id such as ``Apache-2.0``, or words.
    intended_use
        What the model is for, and what it is not for.
    data_revision, code_sha256
        Empty: as the run says, by its data sets and by the notebook or commit it was made with.
    owner
        The account of whoever answers for the model; empty: whoever runs this.
    alias
        An alias to give to the version, such as ``champion``: this promotes it, for which its card
        must be complete.
    workspace
        The team. Without one, as ``MLFLOW_WORKSPACE`` says.

    Returns
    -------
    ModelVersion
        MLflow's. What its card still lacks is said in a sentence.

    Examples
    --------
    >>> register(  # doctest: +SKIP
    ...     f"runs:/{run.run_id}/model.pt",
    ...     "day-ahead",
    ...     licence="Apache-2.0",
    ...     intended_use="Forecasts for the Tongyu wind farm",
    ...     workspace="windfarm",
    ... )
    """
    from mlflow import MlflowClient
    from mlflow.utils.workspace_context import WorkspaceContext

    from ulab_mlflow.cards import CardField, missing

    scope: AbstractContextManager[object] = (
        nullcontext() if workspace is None else WorkspaceContext(workspace)
    )
    with scope:
        run = _run_of(model_uri)
        card = {
            CardField.DATA_REVISION: data_revision or _data_of(run),
            CardField.CODE_SHA256: code_sha256 or _code_of(run),
            CardField.LICENCE: licence,
            CardField.OWNER: owner or os.environ.get("JUPYTERHUB_USER", ""),
            CardField.INTENDED_USE: intended_use,
        }
        tags = {field.tag: text for field, text in card.items() if text.strip()}
        version = _version(model_uri, name, tags)
        if alias:
            MlflowClient().set_registered_model_alias(name, alias, version.version)
    lacking = [field.tag for field in missing(tags)]
    if lacking and not alias:
        told = ", ".join(lacking)
        print(
            say(
                zh=f"已登记 {name} 第 {version.version} 版。启用前模型卡还需填写：{told}。",
                en=f"Registered {name}, version {version.version}. "
                f"Before it can be promoted, its card needs: {told}.",
            ),
            file=sys.stderr,
        )
    return version


def _version(model_uri: str, name: str, tags: dict[str, str]) -> ModelVersion:
    import mlflow
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    client = MlflowClient()
    scheme, _, rest = model_uri.partition(":/")
    run_id, _, path = rest.strip("/").partition("/")
    if scheme != "models" and not (scheme == "runs" and path):
        raise ValueError(
            say(
                zh=f"“{model_uri}”不是模型的地址："
                "请用 runs:/<运行 ID>/<文件> 或 models:/<模型 ID>。",
                en=f"“{model_uri}” is no model's address: write runs:/<run id>/<file> "
                "or models:/<model id>.",
            )
        )
    # MLflow's own way knows only models in its format; a file such as model.pt is one too.
    if scheme == "models":
        return mlflow.register_model(model_uri, name, tags=tags)
    found = _kept(client, run_id, path)
    if found is None and path not in _models_of(client, run_id):
        # MLflow would make the registered model first, and leave it behind without a version.
        raise FileNotFoundError(
            say(zh=f"运行 {run_id} 中没有 {path}。", en=f"The run {run_id} keeps no {path}.")
        )
    if found is None or not _is_plain(client, run_id, found):
        return mlflow.register_model(model_uri, name, tags=tags)
    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    source = f"{client.get_run(run_id).info.artifact_uri}/{path}"
    return client.create_model_version(name, source, run_id, tags=tags)


def _kept(client: MlflowClient, run_id: str, path: str) -> FileInfo | None:
    """The file or folder that a run keeps there."""
    beside = client.list_artifacts(run_id, path.rpartition("/")[0] or None)
    return next((one for one in beside if one.path == path), None)


def _models_of(client: MlflowClient, run_id: str) -> set[str]:
    """The names of the models in MLflow's format that a run has logged."""
    experiment = client.get_run(run_id).info.experiment_id
    found = client.search_logged_models([experiment], f"source_run_id = '{run_id}'")
    return {one.name for one in found}


def _is_plain(client: MlflowClient, run_id: str, found: FileInfo) -> bool:
    """Whether it is no model in MLflow's format."""
    if not found.is_dir:
        return True
    inside = {one.path for one in client.list_artifacts(run_id, found.path)}
    return f"{found.path}/MLmodel" not in inside


def _run_of(model_uri: str) -> Run | None:
    """The run that a model was logged by, when its address leads to one."""
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    scheme, _, rest = model_uri.partition(":/")
    first, *others = rest.strip("/").split("/")
    client = MlflowClient()
    try:
        run_id = None
        if scheme == "runs":
            run_id = first
        elif scheme == "models" and others:
            run_id = client.get_model_version(first, others[0]).run_id
        elif scheme == "models":
            run_id = client.get_logged_model(first).source_run_id
        return client.get_run(run_id) if run_id else None
    except MlflowException:
        # Registering says by itself what is wrong with the address.
        return None


def _code_of(run: Run | None) -> str:
    tags = run.data.tags if run is not None else {}
    return next((tags[tag] for tag in CODE_TAGS if tags.get(tag)), "")


def _data_of(run: Run | None) -> str:
    """The data sets a run says it read, each with its revision or else its digest."""
    found: dict[str, None] = {}
    for one in run.inputs.dataset_inputs if run is not None and run.inputs else ():
        data = one.dataset
        found[f"{data.name}@{_revision(data.source) or data.digest}"] = None
    return ", ".join(found)


def _revision(source: str) -> str:
    try:
        return str(json.loads(source).get("revision") or "")
    except (ValueError, AttributeError):
        return ""
