"""`ulab team share`, `shares`, `unshare` and `export`: what of a team others get to see or take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ulab_core.errors import UserError
from ulab_core.i18n import mark
from ulab_deploy import console
from ulab_deploy.commands.options import Json, Team
from ulab_deploy.commands.session import reading, writing
from ulab_deploy.console import say, t

ACTOR = "ulab team"


def register(team: typer.Typer) -> None:
    @team.command(
        "share",
        help=t("Share one run or one version of a model, read-only, by a link."),
        epilog=t("Example: {example}", example="ulab team share windfarm --model day-ahead/3"),
    )
    def share(
        team: Team,
        run: Annotated[str, typer.Option(help=t("The id of a run."))] = "",
        model: Annotated[str, typer.Option(help=t("A model and its version: name/version."))] = "",
        with_: Annotated[
            str,
            typer.Option("--with", help=t("The team it is for. Without it: everyone here.")),
        ] = "",
        by: Annotated[
            str, typer.Option(help=t("Who answers for it. Without it: the team's first owner."))
        ] = "",
        json: Json = False,
    ) -> None:
        from ulab_core.database import Database
        from ulab_core.team_models import SharedThing
        from ulab_deploy.base import existing_base
        from ulab_mlflow.reading import Reader
        from ulab_teams.shares import share
        from ulab_teams.teams import find_team, members_of

        if bool(run) == bool(model):
            raise UserError(mark("Name one run (--run) or one version of a model (--model)."))
        if model and not all(model.rpartition("/")):
            raise UserError(mark("Write a model with its version, such as day-ahead/3."))
        base = existing_base()
        db = Database.of(base.settings)
        with db.read() as session:
            find_team(session, team)
            sharer = by or next(iter(members_of(session, team)), "")
        reader = Reader.of(base.settings)
        kind, name, version = SharedThing.RUN, run, None
        if run:
            name = reader.run(team, run).id
        else:
            kind = SharedThing.MODEL_VERSION
            name, _, number = model.rpartition("/")
            version = reader.version(team, name, number).number
        with db.write() as session:
            made = share(session, team, kind, name, version, with_ or None, sharer, ACTOR)
            path, share_id = _path(made.id), made.id
        if json:
            console.say_json({"team": team, "share": share_id, "path": path, "by": sharer})
        else:
            say(t("Shared by {name}: {path}", name=sharer, path=path))

    @team.command(
        "shares",
        help=t("List a team's links to runs and models."),
        epilog=t("Example: {example}", example="ulab team shares windfarm --json"),
    )
    def shares(team: Team, json: Json = False) -> None:
        from ulab_teams.shares import shares_of
        from ulab_teams.teams import find_team

        with reading() as session:
            find_team(session, team)
            rows = [
                {
                    "share": one.id,
                    "kind": one.kind.value,
                    "name": one.name,
                    "version": one.version,
                    "with": one.audience_id,
                    "by": one.created_by,
                    "at": one.created_at,
                }
                for one in shares_of(session, team)
            ]
        if json:
            console.say_json(rows)
            return
        if not rows:
            say(t("The team {team} shares nothing.", team=team))
        for line in console.table(
            [
                (
                    row["share"],
                    f"{row['name']}/{row['version']}" if row["version"] else row["name"],
                    row["with"] or t("everyone here"),
                    row["by"],
                )
                for row in rows
            ]
        ):
            say(line)

    @team.command(
        "unshare",
        help=t("Withdraw a link; nobody sees anything by it from then on."),
        epilog=t(
            "Example: {example}", example="ulab team unshare 1796ad18d3d0465aabc110230aed264b"
        ),
    )
    def unshare(
        share: Annotated[str, typer.Argument(help=t("The link's id, its last part."))],
        json: Json = False,
    ) -> None:
        from ulab_teams.shares import withdraw

        with writing() as session:
            team = withdraw(session, share, "", ACTOR).team_id
        if json:
            console.say_json({"team": team, "share": share})
        else:
            say(t("Withdrawn: {path}", path=_path(share)))

    @team.command(
        "export",
        help=t("Write all of a team's experiments and models as a folder for a plain MLflow."),
        epilog=t("Example: {example}", example="ulab team export windfarm ./windfarm-export"),
    )
    def export_(
        team: Team,
        folder: Annotated[Path, typer.Argument(help=t("A new or empty folder."))],
        json: Json = False,
    ) -> None:
        from ulab_core.audit import record
        from ulab_core.database import Database
        from ulab_deploy.base import existing_base
        from ulab_mlflow.export import export
        from ulab_teams.teams import find_team

        base = existing_base()
        db = Database.of(base.settings)
        with db.read() as session:
            find_team(session, team)
        found = export(base.settings, team, folder, _pass)
        console.passed()
        with db.write() as session:
            record(session, ACTOR, "team.export", team, folder=str(folder.absolute()))
        told = found.told(team)
        if json:
            console.say_json(told | {"folder": str(folder.absolute())})
        else:
            say(
                t(
                    "Wrote {runs} runs, {models} models and {files} files to {folder}",
                    runs=told["runs"],
                    models=told["models"],
                    files=told["files"],
                    folder=folder,
                )
            )
            say(t("Open it with MLflow as its README.md says."))


def _path(share_id: str) -> str:
    return f"/services/ulab/shared/{share_id}"


def _pass(what: str, done: int, total: int) -> None:
    if total:
        console.passing(f"{what}: {done / 1e6:.0f} / {total / 1e6:.0f} MB")
    else:
        console.passing(f"{what}: {done}")
