"""Teams' folders on a base that an ordinary user of the machine runs, without root's help."""

from __future__ import annotations

import json
from pathlib import Path

from integration.sandbox_support import run_as_ordinary_user

SCRIPT = """
import asyncio, json, sys
from pathlib import Path
from integration.fork_support import wait_until
from integration.kernel_support import open_kernel
from integration.warm_hub_support import WarmBase
from ulab_core.team_models import TeamRole
from ulab_coursework.courses import ensure_person
from ulab_teams.teams import create_team, remove_member, set_member

async def in_kernel(name, code):
    kernel = await open_kernel(base.url, name, base.api_token(name))
    return await kernel.text(code)

def runs(name):
    return bool(clients[name].api("GET", f"users/{name}").json()["servers"])

def tell(name, code):
    prelude = "from pathlib import Path; here = Path.home() / 'teams' / 'windfarm'\\n"
    return asyncio.run(in_kernel(name, prelude + code)).strip()

said, clients = {}, {}
base = WarmBase(Path(sys.argv[1]), limits={"memory_mb": 1200})
try:
    people = ("ann", "bob", "prof", "dave")
    for name in people:
        base.create_user(name)
    with base.database.write() as session:
        for name in people:
            ensure_person(session, name)
        create_team(session, "windfarm", "", "", "ann", "test")
        set_member(session, "windfarm", "bob", TeamRole.MEMBER, "test")
        set_member(session, "windfarm", "prof", TeamRole.MENTOR, "test")
    base.start()
    for name in people:
        clients[name] = base.client(name)
        base.start_server(clients[name], name)
    said["ann"] = tell("ann", "(here / 'notes.txt').write_text('ann'); print('wrote')")
    said["bob"] = tell("bob", "(here / 'notes.txt').write_text('bob'); print('wrote')")
    said["prof"] = tell("prof", "print((here / 'notes.txt').read_text())")
    said["prof writes"] = tell("prof", "(here / 'notes.txt').write_text('prof')")
    said["dave"] = tell("dave", "print(here.exists(), Path('/srv/teams').exists())")
    with base.database.write() as session:
        remove_member(session, "windfarm", "bob", "test")
    wait_until(lambda: not runs("bob"), 30, "the server still runs")
    said["others"] = runs("ann") and runs("prof")
    base.start_server(clients["bob"], "bob")
    said["bob again"] = tell("bob", "print(here.exists(), Path('/srv/teams').exists())")
finally:
    base.stop()
print(json.dumps(said))
"""


def test_a_teams_folder_is_its_peoples_without_root(tmp_path: Path) -> None:
    done = run_as_ordinary_user(SCRIPT, tmp_path / "base")
    assert done.returncode == 0, done.stderr[-6000:]
    said = json.loads(done.stdout.splitlines()[-1])
    assert "Read-only file system" in said.pop("prof writes")
    assert said == {
        "ann": "wrote",
        "bob": "wrote",
        "prof": "bob",
        "dave": "False False",
        "others": True,
        "bob again": "False False",
    }
