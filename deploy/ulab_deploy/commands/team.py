"""`ulab team`: groups of people who share experiments."""

from __future__ import annotations

from typing import Annotated

import typer

from ulab_core.i18n import mark
from ulab_deploy import console
from ulab_deploy.commands import team_requests, team_shares
from ulab_deploy.commands.options import Json, People, Team
from ulab_deploy.commands.session import writing
from ulab_deploy.console import say, t

ACTOR = "ulab team"
ROLES = {"owner": mark("owner"), "member": mark("member"), "mentor": mark("mentor")}
AsRole = Annotated[str, typer.Option("--role", help=t("owner, member or mentor"))]


def register(app: typer.Typer) -> None:
    team = typer.Typer(
        help=t("Teams: people who share experiments and models."),
        epilog=t("Example: {example}", example="ulab team list"),
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    app.add_typer(team, name="team")
    team_requests.register(team)
    team_shares.register(team)

    @team.command(
        "create",
        help=t("Make a team with an MLflow workspace of its own; nothing needs a restart."),
        epilog=t("Example: {example}", example="ulab team create windfarm zhangwei"),
    )
    def create(
        team: Annotated[str, typer.Argument(help=t("The new team's id."))],
        owner: Annotated[str, typer.Argument(help=t("The account of its first owner."))],
        title: Annotated[
            str, typer.Option(help=t("What people call it; without one, its id."))
        ] = "",
        purpose: Annotated[str, typer.Option(help=t("What it works on, in a sentence."))] = "",
        json: Json = False,
    ) -> None:
        from ulab_teams.teams import create_team

        with writing() as session:
            made = create_team(session, team, title, purpose, owner, ACTOR)
        if json:
            console.say_json({"team": team, "title": made.title, "owner": owner})
        else:
            say(t("Created the team {team}, owned by {owner}", team=team, owner=owner))

    @team.command(
        "add",
        help=t("Put people into a team, or give them another role."),
        epilog=t("Example: {example}", example="ulab team add windfarm lina --role mentor"),
    )
    def add(
        team: Team,
        people: People,
        role: AsRole = "member",
        json: Json = False,
    ) -> None:
        from ulab_deploy.catalogue import require_team_role
        from ulab_teams.teams import set_member

        wanted = require_team_role(role)
        with writing() as session:
            for name in people:
                set_member(session, team, name, wanted, ACTOR)
        _tell_role(json, team, people, role)

    @team.command(
        "invite",
        help=t("Invite people into a team; they join or decline on the portal."),
        epilog=t("Example: {example}", example="ulab team invite windfarm lina --role mentor"),
    )
    def invite(team: Team, people: People, role: AsRole = "member", json: Json = False) -> None:
        from ulab_deploy.catalogue import require_team_role
        from ulab_teams.invitations import invite

        wanted = require_team_role(role)
        with writing() as session:
            for name in people:
                invite(session, team, name, wanted, ACTOR)
        if json:
            console.say_json({"team": team, "people": people, "role": wanted.value})
        else:
            for name in people:
                say(
                    t(
                        "Invited {name} into the team {team} as {role}",
                        name=name,
                        team=team,
                        role=t(ROLES[role]),
                    )
                )

    @team.command(
        "role",
        help=t("Give someone of a team another role."),
        epilog=t("Example: {example}", example="ulab team role windfarm lina owner"),
    )
    def role_(
        team: Team,
        person: Annotated[str, typer.Argument(help=t("The account of someone in it."))],
        role: Annotated[str, typer.Argument(help=t("owner, member or mentor"))],
        json: Json = False,
    ) -> None:
        from ulab_deploy.catalogue import require_team_role
        from ulab_teams.teams import set_member

        wanted = require_team_role(role)
        with writing() as session:
            set_member(session, team, person, wanted, ACTOR, joining=False)
        _tell_role(json, team, [person], role)

    @team.command(
        "remove",
        help=t("Take people out of a team; what they logged stays with it."),
        epilog=t("Example: {example}", example="ulab team remove windfarm lina"),
    )
    def remove(team: Team, people: People, json: Json = False) -> None:
        from ulab_teams.teams import remove_member

        with writing() as session:
            for name in people:
                remove_member(session, team, name, ACTOR)
        if json:
            console.say_json({"team": team, "people": people})
        else:
            for name in people:
                say(t("{name} is no longer in the team {team}", name=name, team=team))

    @team.command(
        "show",
        help=t("Show one team: its people, who is invited, its folder."),
        epilog=t("Example: {example}", example="ulab team show windfarm --json"),
    )
    def show(team: Team, json: Json = False) -> None:
        from ulab_deploy import listings
        from ulab_deploy.base import existing_base

        found = listings.team(existing_base(), team)
        if json:
            console.say_json(found)
            return
        purpose, members, invited = found["purpose"], found["members"], found["invited"]
        say(f"{found['team']}: {found['title']}")
        if purpose:
            say(purpose)
        rows = [(one["name"], _role(one)) for one in members]
        rows += [(one["name"], t("invited as {role}", role=_role(one))) for one in invited]
        for line in console.table(rows):
            say(f"  {line}")
        say(
            t(
                "Folder: {folder} ({count} files, {megabytes} MB)",
                folder=found["folder"]["path"],
                count=found["folder"]["files"],
                megabytes=round(found["folder"]["bytes"] / 1e6, 1),
            )
        )

    @team.command(
        "list",
        help=t("List teams and who is in them."),
        epilog=t("Example: {example}", example="ulab team list --json"),
    )
    def list_(json: Json = False) -> None:
        from ulab_deploy import listings
        from ulab_deploy.base import existing_base

        rows = listings.teams(existing_base())
        if json:
            console.say_json(rows)
            return
        if not rows:
            say(t("There are no teams yet. Create one with: ulab team create"))
        for line in console.table(
            [
                (
                    row["team"],
                    row["title"],
                    ", ".join(f"{one['name']} ({t(ROLES[one['role']])})" for one in row["members"]),
                )
                for row in rows
            ]
        ):
            say(line)


def _tell_role(json: bool, team: str, people: list[str], role: str) -> None:
    if json:
        console.say_json({"team": team, "people": people, "role": role})
        return
    word = t(ROLES[role])
    for name in people:
        say(t("{name} is now {role} of the team {team}", name=name, role=word, team=team))


def _role(row: dict[str, str]) -> str:
    word = ROLES[row["role"]]
    return t(word)
