"""Brings a base's state up to date before it serves; safe to repeat, and quick when repeated."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ulab_core import database
from ulab_core.errors import UserError
from ulab_core.settings import Settings
from ulab_deploy.base import Base
from ulab_deploy.console import sentence, step, t
from ulab_hub.accounts import Accounts, first_password, write_passwords

if TYPE_CHECKING:
    from ulab_curricula import Curriculum

Say = Callable[[str], None]


@dataclass
class Prepared:
    """What preparing came to.

    Attributes
    ----------
    passwords
        First passwords of accounts created now, by name.
    warnings
        Sentences about what could not be had; the base serves all the same.
    """

    passwords: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def prepare(base: Base) -> Prepared:
    """Make or update everything in the state directory."""
    prepared = Prepared()
    base.layout.prepare()
    with step(t("Preparing the state…")):
        database.upgrade(base.settings)
        prepared.passwords |= create_missing(base, {base.settings.accounts.admin: "admin"})
    with step(t("Preparing curricula and their data…")) as more:
        curricula = publish_curricula(base, prepared, more)
        provide_datasets(base, needed_datasets(curricula), prepared, more)
    if has_demonstration(base.settings):
        from ulab_deploy import demo

        with step(t("Preparing the demonstration courses…")):
            prepared.passwords |= create_missing(base, demo.ACCOUNTS)
            demo.prepare(base)
    return prepared


def has_demonstration(settings: Settings) -> bool:
    """Whether only this machine can reach the base, so that demonstration people do no harm.

    A base with a public address is reached from elsewhere through a reverse proxy.
    """
    return settings.server.on_loopback and not settings.server.public_url


def create_missing(base: Base, wanted: dict[str, str]) -> dict[str, str]:
    """Create those accounts that are missing, and keep their first passwords in a closed file.

    Parameters
    ----------
    wanted
        What to write beside each name.

    Returns
    -------
    dict
        The passwords of those created now.
    """
    accounts = Accounts(base.settings)
    existing = accounts.names()
    created = {name: first_password(base.settings) for name in wanted if name not in existing}
    if created:
        # Written before the account exists: a password nobody knows would lock its owner out.
        write_passwords(
            base.layout.first_passwords,
            [f"{name}\t{password}\t{wanted[name]}" for name, password in created.items()],
        )
        accounts.create(created)
    return created


def publish_curricula(base: Base, prepared: Prepared, say: Say) -> list[Curriculum]:
    """Publish what the checkout's curricula hold; a broken one is named and passed over."""
    from ulab_curricula import load_curriculum, publish
    from ulab_curricula.labs import CURRICULA

    found = []
    for path in sorted(CURRICULA.glob("*/curriculum.yaml")):
        try:
            curriculum = load_curriculum(path.parent)
            target = base.layout.curriculum_version(curriculum.id, curriculum.version)
            if not target.exists():
                say(t("publishing {curriculum}", curriculum=curriculum.id))
            publish(curriculum, base.layout)
            found.append(curriculum)
        except UserError as error:
            prepared.warnings.append(sentence(error))
    return found


def needed_datasets(curricula: Iterable[Curriculum]) -> dict[str, list[str]]:
    """The data sets that curricula need, each with the labs that need it."""
    needed: dict[str, list[str]] = {}
    for curriculum in curricula:
        for lab in curriculum.labs:
            for dataset in lab.manifest.datasets:
                needed.setdefault(dataset, []).append(lab.id)
    return needed


def provide(base: Base, names: Iterable[str]) -> None:
    """Fetch those data sets that are not there.

    Raises
    ------
    DatasetError
        One can't be had.
    """
    from ulab_datasets.own import ensure
    from ulab_datasets.remotes import remote_of

    base.layout.prepare()
    remote = remote_of(base.settings.datasets)
    for result in ensure(base.layout.datasets, sorted(set(names)), remote=remote):
        if result.error is not None:
            raise result.error


def provide_datasets(
    base: Base, needed: dict[str, list[str]], prepared: Prepared, say: Say
) -> None:
    """Fetch the data sets that are not there; what can't be had is said, with the labs it stops."""
    from ulab_datasets.own import ensure
    from ulab_datasets.remotes import remote_of

    results = ensure(
        base.layout.datasets,
        sorted(needed),
        progress=lambda name: say(t("fetching the data set {name}", name=name)),
        remote=remote_of(base.settings.datasets),
    )
    for result in results:
        if result.error is not None:
            prepared.warnings.append(
                t(
                    "The lab {labs} has no data yet. {reason} Try again with: "
                    "ulab datasets pull {name}",
                    labs=", ".join(needed[result.name]),
                    reason=sentence(result.error),
                    name=result.name,
                )
            )
