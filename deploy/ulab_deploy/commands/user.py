"""`ulab user`: who has an account."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ulab_deploy import console
from ulab_deploy.commands.options import Json
from ulab_deploy.console import say, t


def register(app: typer.Typer) -> None:
    user = typer.Typer(
        help=t("People and their accounts."),
        epilog=t("Example: {example}", example="ulab user import roster.csv"),
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    app.add_typer(user, name="user")

    @user.command(
        "import",
        help=t(
            "Create the accounts and enrolments of a roster: a CSV file with the columns name, "
            "display name, college, role (student, assistant or instructor) and course. The whole "
            "file is checked before anything is changed, and importing it again is safe."
        ),
        epilog=t("Example: {example}", example="ulab user import roster.csv"),
    )
    def import_(
        roster: Annotated[Path, typer.Argument(help=t("The CSV file."))],
        passwords: Annotated[
            Path | None,
            typer.Option(help=t("Where to write first passwords; state/secrets when left out.")),
        ] = None,
        json: Json = False,
    ) -> None:
        from ulab_deploy.base import existing_base
        from ulab_deploy.files import require_file
        from ulab_deploy.roster_import import import_roster

        changes = import_roster(existing_base(), require_file(roster), passwords)
        if json:
            console.say_json(changes.plain())
            return
        if changes.none:
            say(t("Everything is as the roster says already."))
            return
        for name, course, role in changes.enrolled:
            say(t("{name} is now {role} of {course}", name=name, role=t(role), course=course))
        say(
            t(
                "People added: {added}, changed: {changed}; accounts created: {accounts}; "
                "enrolments: {enrolled}.",
                added=len(changes.people_added),
                changed=len(changes.people_changed),
                accounts=len(changes.accounts_created),
                enrolled=len(changes.enrolled),
            )
        )
        if changes.passwords_file is not None:
            say(t("First passwords: {file}", file=changes.passwords_file))

    @user.command(
        "add",
        help=t("Create one account; its first password is printed."),
        epilog=t("Example: {example}", example="ulab user add zhangwei --display-name 张伟"),
    )
    def add(
        name: Annotated[str, typer.Argument(help=t("The account's name."))],
        display_name: Annotated[str, typer.Option(help=t("The name others see."))] = "",
        college: Annotated[str, typer.Option(help=t("The person's college."))] = "",
        json: Json = False,
    ) -> None:
        from ulab_core.database import Database
        from ulab_coursework.courses import ensure_person
        from ulab_deploy.base import existing_base
        from ulab_hub.accounts import Accounts, first_password

        base = existing_base()
        password = first_password(base.settings)
        Accounts(base.settings).create({name: password})
        with Database.of(base.settings).write() as session:
            ensure_person(session, name, display_name, college)
        if json:
            console.say_json({"name": name, "password": password})
        else:
            say(t("Created {name} with the password {password}", name=name, password=password))

    @user.command(
        "passwd",
        help=t("Give someone a new random password, or the one typed with --ask."),
        epilog=t("Example: {example}", example="ulab user passwd zhangwei"),
    )
    def passwd(
        name: Annotated[str, typer.Argument(help=t("The account's name."))],
        ask: Annotated[bool, typer.Option("--ask", help=t("Type the password."))] = False,
        json: Json = False,
    ) -> None:
        from ulab_deploy.base import existing_base
        from ulab_hub.accounts import Accounts, first_password

        base = existing_base()
        password = (
            typer.prompt(t("New password"), hide_input=True, confirmation_prompt=True)
            if ask
            else first_password(base.settings)
        )
        Accounts(base.settings).set_password(name, password)
        if json:
            console.say_json({"name": name, "password": None if ask else password})
        elif ask:
            say(t("{name} has a new password.", name=name))
        else:
            say(t("The new password of {name} is {password}", name=name, password=password))

    @user.command(
        "list",
        help=t("List accounts, with courses and roles."),
        epilog=t("Example: {example}", example="ulab user list --json"),
    )
    def list_(json: Json = False) -> None:
        from ulab_deploy.base import existing_base
        from ulab_deploy.listings import people

        rows = people(existing_base())
        if json:
            console.say_json(rows)
            return
        words = {"approved": "", "waiting": t("waits for approval"), "none": t("no account")}
        for line in console.table(
            [
                (row["name"], row["display_name"], row["college"],
                 " ".join(f"{c['course']}:{t(c['role'])}" for c in row["courses"]),
                 words[row["account"]])
                for row in rows
            ]
        ):  # fmt: skip
            say(line)
