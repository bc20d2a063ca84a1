"""`ulab curricula publish`: immutable versions, of the checkout's curricula or of others'."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, Annotated

import typer

from ulab_core.i18n import mark
from ulab_deploy import console
from ulab_deploy.base import Base
from ulab_deploy.commands.curricula_check import (
    as_json,
    require_sandbox,
    tell_passing,
    tell_proved,
)
from ulab_deploy.commands.options import Json
from ulab_deploy.console import say, t
from ulab_deploy.stopping import ended_at_once

if TYPE_CHECKING:
    from ulab_deploy.outside import Outcome


def register(curricula: typer.Typer) -> None:
    @curricula.command(
        help=t(
            "Publish curricula as immutable versions that courses can run. What comes from "
            "elsewhere is proved first, in sandboxes, and not published when anything is wrong."
        ),
        epilog=t("Example: {example}", example="ulab curricula publish vision-foundations"),
    )
    def publish(
        names: Annotated[
            list[str] | None, typer.Argument(help=t("Curricula; all when left out."))
        ] = None,
        origin: Annotated[
            str,
            typer.Option(
                "--from",
                metavar="FOLDER|FILE.zip|URL",
                help=t(
                    "Where curricula of others are: a folder, a zip file, or a Git repository "
                    "(https:// or ssh://)."
                ),
            ),
        ] = "",
        ref: Annotated[str, typer.Option(help=t("A branch or a tag of the Git repository."))] = "",
        actor: Annotated[str, typer.Option("--as", hidden=True)] = "",
        own_names: Annotated[bool, typer.Option("--own-names", hidden=True)] = False,
        json: Json = False,
    ) -> None:
        from ulab_curricula import publish as publish_
        from ulab_deploy.base import existing_base
        from ulab_deploy.catalogue import curricula_of_checkout

        base = existing_base()
        if origin:
            _publish_others(base, origin, names or [], ref, actor, own_names, json)
            return
        made = {}
        for found in curricula_of_checkout(names or []):
            made[found.id] = publish_(found, base.layout)
            if not json:
                say(t(PUBLISHED, curriculum=found.id, version=made[found.id]))
        if json:
            console.say_json(made)


PUBLISHED = mark("{curriculum} is published as {version}")


def _publish_others(
    base: Base,
    origin: str,
    names: list[str],
    ref: str,
    actor: str,
    own_names: bool,
    json: bool,
) -> None:
    from ulab_deploy.outside import publish_others

    require_sandbox(base)
    found = []
    actor = actor or f"ulab curricula ({getpass.getuser()})"
    told = []
    with ended_at_once():
        outcomes = publish_others(
            base, origin, names, ref=ref, actor=actor, own_names=own_names, tell=tell_passing
        )
        for outcome in outcomes:
            console.passed()
            found.append(outcome)
            if json:
                # While our copy is there, which the places of tests are looked up in.
                told.append(
                    {
                        "curriculum": outcome.curriculum.id,
                        "version": outcome.version or None,
                        "labs": [as_json(proved) for proved in outcome.proved],
                    }
                )
            else:
                _tell(outcome)
    if json:
        console.say_json(told)
    if not all(one.version for one in found):
        raise typer.Exit(1)


def _tell(outcome: Outcome) -> None:
    for proved in outcome.proved:
        if not (proved.report.ok and outcome.version):
            tell_proved(proved)
    if outcome.version:
        say(t(PUBLISHED, curriculum=outcome.curriculum.id, version=outcome.version))
    else:
        say(t("{curriculum} is not published", curriculum=outcome.curriculum.id))
