"""What a request claims of its person, and where its address and body disagree."""

from __future__ import annotations

from typing import Any

import pytest

from ulab_mlflow.guards import claim, contradicts, signed


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ({"user_id": "prof", "run_name": "x"}, {"user_id": "lin", "run_name": "x"}),
        ({"userId": "prof"}, {"userId": "lin"}),
        ({"key": "mlflow.user", "value": "prof"}, {"key": "mlflow.user", "value": "lin"}),
        ({"key": "colour", "value": "prof"}, {"key": "colour", "value": "prof"}),
        (
            {"tags": [{"key": "mlflow.user", "value": "prof"}, {"key": "a", "value": "b"}]},
            {"tags": [{"key": "mlflow.user", "value": "lin"}, {"key": "a", "value": "b"}]},
        ),
        ({"tags": "nonsense"}, {"tags": "nonsense"}),
        ({"tags": [1, None]}, {"tags": [1, None]}),
        ([1], [1]),
        (None, None),
    ],
)
def test_a_request_says_who_really_makes_it(body: Any, wanted: Any) -> None:
    signed(body, "lin")
    assert body == wanted


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ({"model_id": "m-2"}, "model_id"),
        ({"modelId": "m-2"}, "model_id"),
        ({"model_id": "m-1", "modelId": "m-2"}, "model_id"),
        ({"model_id": None}, "model_id"),
        ({"model_id": "m-1"}, None),
        ({"run_id": "m-2"}, None),
        ({}, None),
    ],
)
def test_an_address_and_a_body_that_disagree_are_noticed(
    said: dict[str, Any], name: str | None
) -> None:
    assert contradicts({"model_id": "m-1"}, said) == name


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"user_id": "prof"},
        {"tags": []},
        {"tags": [{"key": "mlflow.user", "value": "prof"}]},
        {"user_id": "prof", "tags": [{"key": "mlflow.user", "value": "prof"}]},
    ],
)
def test_a_new_run_is_its_makers_whatever_it_says(body: dict[str, Any]) -> None:
    claim(body)
    signed(body, "lin")
    assert body == {"user_id": "lin", "tags": [{"key": "mlflow.user", "value": "lin"}]}
