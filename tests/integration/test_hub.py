"""A real hub: logins, servers in sandboxes, kernels, restarts, and what is refused."""

from __future__ import annotations

import json
import os
import select
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import nbgrader
import pytest
from integration.hub_support import PASSWORD, Base, HubClient, start_base
from integration.kernel_support import open_kernel
from integration.sandbox_support import needs_cgroups, only_root

from ulab_core.models import Course, Role
from ulab_coursework.coursefolder import course_gid, prepare_folder
from ulab_coursework.courses import enrol, ensure_person
from ulab_hub.accounts import Accounts
from ulab_runtime.lives import Life, command_in_sandbox

COURSE = "vision-2026"
# A device node of any machine that stands in for a GPU.
STAND_IN = next(
    str(path) for name in ("kmsg", "fuse", "hwrng", "mem") if (path := Path("/dev", name)).exists()
)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Base]:
    base = start_base(
        tmp_path_factory.mktemp("base"),
        services=["idle-culler"],
        extra_config=f"c.SandboxSpawner.gpu_nodes = [{STAND_IN!r}]",
        limits={"memory_mb": 1200},
        accounts={"password_length": 12},
    )
    for name in ("ann", "bob", "eve", "teacher", "helper"):
        base.create_user(name)
    with base.database.write() as session:
        course = Course(
            id=COURSE,
            number=1,
            title_zh="图像识别",
            title_en="Vision",
            focus_area="image-recognition",
            curriculum="vision-foundations",
            curriculum_version="1",
        )
        session.add(course)
        session.flush()
        enrol(session, course, ensure_person(session, "teacher"), Role.INSTRUCTOR, "test")
        enrol(session, course, ensure_person(session, "helper"), Role.ASSISTANT, "test")
        enrol(session, course, ensure_person(session, "ann", language="en"), Role.STUDENT, "test")
        prepare_folder(base.layout, COURSE, course_gid(1, base.settings.accounts.uid_base))
    yield base
    base.stop()


@pytest.fixture(scope="module")
def ann(base: Base) -> HubClient:
    """Ann, whose server runs."""
    client = base.client("ann")
    base.start_server(client, "ann")
    return client


@pytest.fixture(scope="module")
def ann_token(base: Base, ann: HubClient) -> str:
    return base.api_token("ann")


# --- Logging in ----------------------------------------------------------------------------------


def test_sign_up_waits_for_approval_and_passwords_have_rules(base: Base) -> None:
    client = base.client()

    def sign_up(name: str, password: str) -> None:
        client.get("/hub/signup")
        data = {
            "_xsrf": client.xsrf,
            "username": name,
            "signup_password": password,
            "signup_password_confirmation": password,
        }
        assert client.post("/hub/signup", data=data).status_code == 200

    sign_up("short", "tiny7")
    sign_up("common", "1qaz2wsx3edc")
    sign_up("digits", "password1234")
    sign_up("qianqi", "qianqi1234")
    sign_up("Not A Name", PASSWORD)
    sign_up("long", "correct horse 7 battery " * 4)
    sign_up("admin", PASSWORD)  # would be let in at once, as an administrator
    sign_up("newcomer", PASSWORD)
    accounts = {account.name: account.approved for account in Accounts(base.settings).all()}
    assert {"short", "common", "digits", "qianqi", "long", "admin", "not a name"}.isdisjoint(
        accounts
    )
    assert accounts["newcomer"] is False
    assert client.log_in("newcomer").status_code == 403
    assert client.log_in("newcomer", "correct horse 7 battery " * 4).status_code == 403


def test_too_many_wrong_passwords_lock_the_account(base: Base) -> None:
    base.create_user("forgetful")
    client = base.client()
    for _ in range(5):
        assert client.log_in("forgetful", "a wrong password").status_code == 403
    assert client.log_in("forgetful", PASSWORD).status_code == 403
    assert base.client("bob").get("/hub/api/user").json()["name"] == "bob"


def test_cookies_are_out_of_reach_for_scripts(base: Base) -> None:
    client = base.client()
    answer = client.log_in("bob")
    session = [c for c in answer.headers.get_list("set-cookie") if c.startswith("jupyterhub-hub")]
    assert session
    assert all("httponly" in c.lower() and "samesite=lax" in c.lower() for c in session)


# --- A server and its kernels --------------------------------------------------------------------


async def test_a_kernel_runs_in_the_sandbox_over_private_sockets(
    base: Base, ann_token: str
) -> None:
    kernel = await open_kernel(base.url, "ann", ann_token)
    code = """
import json, os, socket, stat
connection = next(f for f in os.listdir('/tmp/jupyter') if 'kernel-' in f and '.json' in f)
found = json.load(open('/tmp/jupyter/' + connection))
print(json.dumps({
    'transport': found['transport'],
    'folder': os.stat('/tmp/jupyter').st_mode & 0o777,
    'file': stat.S_IMODE(os.stat('/tmp/jupyter/' + connection).st_mode),
    'home': os.getcwd(), 'homes': os.listdir('/home'),
    'uid': os.getuid(), 'language': os.environ['ULAB_LANGUAGE'],
    'score': int(open('/proc/self/oom_score_adj').read()),
    'sources': os.path.exists(os.environ['ULAB_DATASETS']),
}))
"""
    said = json.loads(await kernel.text(code))
    with base.database.read() as session:
        number = ensure_person(session, "ann").id
    uid = base.settings.accounts.uid_base + number if os.geteuid() == 0 else os.geteuid()
    assert said == {
        "transport": "ipc",
        "folder": 0o700,
        "file": 0o600,
        "home": "/home/ann",
        "homes": ["ann"],
        "uid": uid,
        "language": "en",
        "score": 500,
        "sources": True,
    }
    home = base.layout.home("ann").stat()
    assert (home.st_uid, home.st_mode & 0o777) == (uid, 0o700)


async def test_greed_in_a_cell_gets_a_sentence_and_the_kernel_lives(
    base: Base, ann_token: str
) -> None:
    kernel = await open_kernel(base.url, "ann", ann_token)
    said = await kernel.text("kept = 7\nmuch = bytearray(4 * 1024**3)")
    assert "MemoryError" in said
    assert "This cell needs more memory than your server may use (1.17 GiB)." in said
    import_and_more = "import numpy\nmuch = []\nwhile True: much.append(numpy.ones(10**7))"
    assert "This cell needs more memory" in await kernel.text(import_and_more)
    assert await kernel.text("much = None; kept") == "7"


@needs_cgroups
async def test_a_kernel_killed_for_memory_says_so_below_its_cell(
    base: Base, ann_token: str
) -> None:
    kernel = await open_kernel(base.url, "ann", ann_token)
    code = (
        "import resource\nresource.setrlimit(resource.RLIMIT_DATA, (-1, -1))\n"
        "much = []\nwhile True: much.append(b'x' * 10**7)"
    )
    heard = await kernel.run(code)
    assert heard[-1] == {"type": "status", "execution_state": "restarting"}
    said = "".join(part["text"] for part in heard if part["type"] == "stream")
    assert "your server ran out of memory (1.17 GiB" in said
    await kernel.wait_until_back()
    assert await kernel.text("1 + 1") == "2"


def test_students_get_assignments_and_no_formgrader(base: Base, ann: HubClient) -> None:
    page = ann.get("/user/ann/lab").text
    settings = json.loads(
        page.partition('id="jupyter-config-data"')[2].partition(">")[2].partition("<")[0]
    )
    disabled = settings["disabledExtensions"]
    assert "@jupyter/nbgrader:formgrader" in disabled
    assert "@jupyter/nbgrader:assignment-list" not in disabled
    assert ann.get("/user/ann/formgrader").status_code == 404
    asked = {"version": nbgrader.__version__}
    assert ann.get("/user/ann/nbgrader_version", params=asked).json()["success"]
    locale = ann.get("/user/ann/lab/api/settings/@jupyterlab/translation-extension:plugin").json()
    assert locale["schema"]["properties"]["locale"]["default"] == "en"


def test_who_never_chose_a_language_has_their_browsers(base: Base) -> None:
    eve = base.client("eve", headers={"accept-language": "en"})
    base.start_server(eve, "eve")
    eve.get("/user/eve/lab")
    locale = eve.get("/user/eve/lab/api/settings/@jupyterlab/translation-extension:plugin").json()
    assert locale["schema"]["properties"]["locale"]["default"] == "en"
    assert eve.api("DELETE", "users/eve/server").status_code in (202, 204)


def test_another_person_can_not_use_a_server(base: Base, ann: HubClient) -> None:
    token = base.api_token("bob")
    headers = {"Authorization": f"token {token}"}
    assert httpx.get(f"{base.url}/user/ann/api/contents", headers=headers).status_code == 403
    own = httpx.get(
        f"{base.url}/user/ann/api/contents",
        headers={"Authorization": f"token {base.api_token('ann')}"},
    )
    assert own.status_code == 200


async def test_a_servers_token_speaks_for_its_person_and_no_further(
    base: Base, ann_token: str
) -> None:
    kernel = await open_kernel(base.url, "ann", ann_token)
    code = """
import os, urllib.request, urllib.error
def ask(path, method='GET'):
    request = urllib.request.Request(os.environ['JUPYTERHUB_API_URL'] + path, method=method,
        headers={'Authorization': 'token ' + os.environ['JUPYTERHUB_API_TOKEN']})
    try:
        return urllib.request.urlopen(request).status
    except urllib.error.HTTPError as error:
        return error.code
print([ask('/user'), ask('/users'), ask('/users/bob'), ask('/proxy'),
       ask('/users/ann/tokens', 'POST'), ask('/users/ann/servers/x', 'POST')])
"""
    assert await kernel.text(code) == "[200, 403, 404, 403, 403, 403]\n"


# --- What is refused, with a sentence ------------------------------------------------------------


def test_a_student_gets_no_named_server(base: Base, ann: HubClient) -> None:
    for server, said in (
        (f"grade-{COURSE}", "Only an instructor or assistant of the course vision-2026"),
        ("second", "There is no server second."),
    ):
        answer = ann.api("POST", f"users/ann/servers/{server}", json={})
        assert answer.status_code == 403, answer.text
        assert said in answer.json()["message"]


def test_refusals_speak_the_persons_language(base: Base) -> None:
    bob = base.client("bob")
    said = {}
    for language in ("zh", "en"):
        headers = {"Accept-Language": language}
        options = {"profile": "quantum"}
        answer = bob.api("POST", "users/bob/server", json=options, headers=headers)
        assert answer.status_code == 422
        page = bob.get("/hub/spawn/bob", params={"opt-profile": "quantum"}, headers=headers)
        assert answer.json()["message"] in page.text
        said[language] = answer.json()["message"]
    assert said["en"] == "There is no such profile. Choose one of the list."
    assert said["zh"] == "没有这种运行环境，请从列表中选择。"


@only_root
@pytest.mark.parametrize("kind", ["link", "stranger's"])
def test_a_home_that_is_not_the_persons_is_not_used(base: Base, kind: str, tmp_path: Path) -> None:
    name = "carol" if kind == "link" else "dave"
    base.create_user(name)
    home = base.layout.home(name)
    if kind == "link":
        home.symlink_to(tmp_path)
    else:
        home.mkdir()
        os.chown(home, 4321, 4321)
    before = tmp_path.stat()
    client = base.client(name)
    answer = client.api("POST", f"users/{name}/server", json={})
    assert answer.status_code == 500
    assert f"The home of {name} belongs to someone else" in answer.json()["message"]
    assert (tmp_path.stat().st_uid, tmp_path.stat().st_mode) == (before.st_uid, before.st_mode)


# --- Grading servers -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["teacher", "helper"])
def test_who_grades_gets_the_courses_grading_server(base: Base, name: str) -> None:
    client = base.client(name)
    base.start_server(client, name, f"grade-{COURSE}")
    url = f"/user/{name}/grade-{COURSE}"
    assert client.get(f"{url}/formgrader").status_code == 200
    pid = _server_pid(base, name, f"grade-{COURSE}")
    mounts = Path(f"/proc/{command_in_sandbox(pid)}/mountinfo").read_text()
    assert " /srv/course " in mounts
    stopped = client.api("DELETE", f"users/{name}/servers/grade-{COURSE}", json={"remove": True})
    assert stopped.status_code in (202, 204)


def test_who_grades_no_more_has_no_grading_server_left(base: Base) -> None:
    client = base.client("helper")
    base.start_server(client, "helper", f"grade-{COURSE}")
    inside = command_in_sandbox(_server_pid(base, "helper", f"grade-{COURSE}"))
    ended = select.poll()
    ended.register(os.pidfd_open(inside))
    with base.database.write() as session:
        enrol(session, COURSE, "helper", Role.STUDENT, "teacher")
    assert ended.poll(30_000), "the course lies open still"


# --- Profiles ------------------------------------------------------------------------------------


def test_the_start_page_offers_a_gpu_where_there_is_one(base: Base) -> None:
    page = base.client("bob").get("/hub/spawn/bob", headers={"Accept-Language": "en"}).text
    assert 'value="cpu" checked' in page
    assert 'value="gpu"' in page


def test_only_the_gpu_profile_brings_its_device(base: Base, ann: HubClient) -> None:
    bob = base.client("bob")
    # As the portal's link does it: the options are in the address.
    assert bob.get("/hub/spawn/bob", params={"opt-profile": "gpu"}).status_code == 200
    progress = bob.api("GET", "users/bob/server/progress", headers={"Accept-Language": "zh"}).text
    said = [json.loads(line[6:]) for line in progress.splitlines() if line.startswith("data: ")]
    assert said[-1]["ready"], said
    base.wait_for_server(bob, "bob")
    assert _sees(base, "bob", STAND_IN)
    assert not _sees(base, "ann", STAND_IN)


def _sees(base: Base, name: str, path: str) -> bool:
    inside = command_in_sandbox(_server_pid(base, name))
    return Path(f"/proc/{inside}/root{path}").exists()


def _server_pid(base: Base, name: str, server: str = "") -> int:
    """The outermost process of a server."""
    pid: int = base.server_state(name, server)["pid"]
    return pid


# --- Stopping and restarting ---------------------------------------------------------------------


async def test_servers_outlive_a_killed_hub_and_are_found_again(
    base: Base, ann: HubClient, ann_token: str
) -> None:
    kernel = await open_kernel(base.url, "ann", ann_token)
    await kernel.text("kept = 42")
    pid = _server_pid(base, "ann")
    life = Life.of(pid)
    groups = [Path(folder) for folder in base.server_state("ann").get("groups", ())]
    assert all(group.exists() for group in groups)
    base.kill_hub()
    assert life.lasts()
    base.start()
    assert life.lasts()
    client = base.client("ann")
    server = client.api("GET", "users/ann").json()["servers"][""]
    assert server["ready"]
    headers = {"Authorization": f"token {ann_token}"}
    kernels = httpx.get(f"{base.url}/user/ann/api/kernels", headers=headers).json()
    assert kernels

    assert client.api("DELETE", "users/ann/server").status_code in (202, 204)
    deadline = time.monotonic() + 60
    while life.lasts() and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not life.lasts()
    deadline = time.monotonic() + 20
    while any(group.exists() for group in groups) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not any(group.exists() for group in groups)


def test_stopping_the_hub_ends_what_it_started(base: Base) -> None:
    life = Life.of(_server_pid(base, "bob"))
    assert life.lasts()
    assert "idle-culler" in base.log_text()
    base.stop()
    assert not life.lasts()
    with pytest.raises(httpx.ConnectError):
        httpx.get(base.url)
