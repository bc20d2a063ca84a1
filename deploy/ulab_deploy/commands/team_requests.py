"""`ulab team requests`, `approve` and `refuse`: teams that people asked for."""

from __future__ import annotations

from typing import Annotated

import typer

from ulab_deploy import console
from ulab_deploy.commands.options import Json
from ulab_deploy.commands.session import reading, writing
from ulab_deploy.console import say, t

ACTOR = "ulab team"
Asked = Annotated[str, typer.Argument(help=t("The id of the team that was asked for."))]


def register(team: typer.Typer) -> None:
    @team.command(
        "requests",
        help=t("List the teams that people asked for and nobody has answered."),
        epilog=t("Example: {example}", example="ulab team requests --json"),
    )
    def requests_(json: Json = False) -> None:
        from ulab_teams.requests import waiting_requests

        with reading() as session:
            rows = [
                {
                    "team": one.team_id,
                    "title": one.title,
                    "purpose": one.purpose,
                    "asked_by": one.person.name,
                    "asked_at": one.asked_at.isoformat(),
                }
                for one in waiting_requests(session)
            ]
        if json:
            console.say_json(rows)
            return
        if not rows:
            say(t("Nobody waits for a team."))
        for line in console.table(
            [(row["team"], row["title"], row["asked_by"], row["purpose"]) for row in rows]
        ):
            say(line)

    @team.command(
        "approve",
        help=t("Make a team that was asked for, owned by who asked."),
        epilog=t("Example: {example}", example="ulab team approve windfarm"),
    )
    def approve(
        team: Asked,
        saying: Annotated[str, typer.Option(help=t("A sentence to who asked."))] = "",
        json: Json = False,
    ) -> None:
        from ulab_teams.requests import approve, waiting_for

        with writing() as session:
            found = waiting_for(session, team)
            owner = found.person.name
            made = approve(session, found.id, saying.strip(), ACTOR)
        if json:
            console.say_json({"team": made.id, "title": made.title, "owner": owner})
        else:
            say(t("Created the team {team}, owned by {owner}", team=team, owner=owner))

    @team.command(
        "refuse",
        help=t("Refuse a team that was asked for, with a sentence that says why."),
        epilog=t(
            "Example: {example}",
            example='ulab team refuse windfarm --because "Ask your mentor first"',
        ),
    )
    def refuse(
        team: Asked,
        because: Annotated[str, typer.Option(help=t("A sentence to who asked."))],
        json: Json = False,
    ) -> None:
        from ulab_teams.requests import refuse, waiting_for

        with writing() as session:
            found = waiting_for(session, team)
            asked_by = found.person.name
            refuse(session, found.id, because.strip(), ACTOR)
        if json:
            console.say_json({"team": team, "asked_by": asked_by, "because": because})
        else:
            say(t("Refused the team {team} that {name} asked for", team=team, name=asked_by))
