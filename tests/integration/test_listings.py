"""What `ulab status` and `ulab user list` count, over a base that never ran."""

from __future__ import annotations

from integration.coursework_support import Base

from ulab_deploy import listings
from ulab_deploy.base import Base as Opened
from ulab_hub.accounts import Accounts, first_password


def test_status_counts_whom_the_list_shows(base: Base) -> None:
    opened = Opened(base.settings, base.layout)
    # One who never signed in, and one whom a course knows already.
    password = first_password(base.settings)
    Accounts(base.settings).create({"erin": password, "alice": password})
    names = [person["name"] for person in listings.people(opened)]
    assert names == ["alice", "bob", "carol", "dave", "erin"]
    assert listings.status(opened)["people"] == len(names)
