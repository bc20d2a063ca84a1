"""What the hub decides before it starts anything: profiles, server names, settings, homes."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

import pytest

from ulab_core.errors import NotAllowed
from ulab_core.settings import Settings
from ulab_hub.profiles import Inventory, UnknownProfile, choose, form, from_form, offered
from ulab_hub.residents import course_of
from ulab_hub.services import services, settings_environment, socket_url
from ulab_hub.student_sandbox import home_inside
from ulab_runtime.sandbox import Mount


@pytest.mark.parametrize("path", ["/srv/ulab/run/hub.sock", "/home/Li Ming/联合/Run/hub.sock"])
def test_a_sockets_address_survives_clients_that_write_hosts_small(path: str) -> None:
    address = socket_url(Path(path))
    assert address == address.lower()
    assert unquote(address.removeprefix("http+unix://")) == path


GPUS = Inventory((Path("/dev/nvidia0"), Path("/dev/nvidia1")), (Path("/dev/nvidiactl"),))


def test_a_machine_without_gpu_offers_the_processor_alone() -> None:
    assert list(offered(Inventory())) == ["cpu"]
    assert list(offered(GPUS)) == ["cpu", "gpu"]


def test_only_device_nodes_count_as_gpus(tmp_path: Path) -> None:
    (tmp_path / "nvidia0").write_text("not a device")
    assert Inventory.detect([f"{tmp_path}/nvidia*"], []) == Inventory()
    assert Inventory.detect(["/dev/null"], ["/dev/zero"]).devices == (
        Path("/dev/null"),
        Path("/dev/zero"),
    )


def test_companions_without_a_gpu_are_no_gpu() -> None:
    assert Inventory.detect(["/dev/no-such-gpu*"], ["/dev/null"]) == Inventory()


@pytest.mark.parametrize("options", [None, {}, {"profile": ""}, {"profile": "cpu"}, [], "gpu"])
def test_the_processor_is_the_usual_choice(options: object) -> None:
    assert choose(options, offered(GPUS)).devices == ()


def test_the_gpu_profile_brings_every_node() -> None:
    assert choose({"profile": "gpu"}, offered(GPUS)).devices == GPUS.devices


@pytest.mark.parametrize("wanted", ["gpu", "tpu", ["gpu"], 7, {"a": 1}])
def test_what_is_not_offered_is_refused(wanted: object) -> None:
    with pytest.raises(UnknownProfile):
        choose({"profile": wanted}, offered(Inventory()))


def test_the_form_sends_what_is_understood() -> None:
    page = form(offered(GPUS), 2.0, 4096, str)
    assert page.count('name="profile"') == 2
    assert "2 processor cores and 4 GiB of memory" in page
    assert from_form({"profile": ["gpu"], "other": ["x"]}) == {"profile": "gpu"}
    assert from_form({}) == {}


def test_server_names() -> None:
    assert course_of("") is None
    assert course_of("grade-vision-2026") == "vision-2026"
    for name in ("second", "grade-", "grade-Vision", "grade-../x", "vision-2026", "GRADE-a"):
        with pytest.raises(NotAllowed):
            course_of(name)


def test_a_home_never_hides_the_installation() -> None:
    mounts = [Mount(Path("/home/ann/ulab/.venv"), "/home/ann/ulab/.venv")]
    assert home_inside("ann", mounts) == "/srv/home/ann"
    assert home_inside("an", mounts) == "/home/an"


def test_processes_we_start_find_the_same_settings(tmp_path: Path) -> None:
    settings = Settings(server={"state_dir": tmp_path / "state"})
    given = {"ULAB_CONFIG": "conf/my.toml", "ULAB_SITE__NAME": "Base", "HOME": "/root"}
    assert settings_environment(settings, given, tmp_path) == {
        "ULAB_CONFIG": str(tmp_path / "conf/my.toml"),
        "ULAB_SITE__NAME": "Base",
        "ULAB_SERVER__STATE_DIR": str(tmp_path / "state"),
    }
    (tmp_path / "ulab.toml").write_text("")
    found = settings_environment(settings, {}, tmp_path)
    assert found["ULAB_CONFIG"] == str(tmp_path / "ulab.toml")


def test_every_service_is_there_and_none_gets_the_hubs_own_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("A_SECRET_OF_THE_OPERATOR", "1")
    found = services(Settings(server={"state_dir": tmp_path}, grading={"workers": 2}))
    names = ["ulab", "mlflow", "mlflow-server", "grading-worker-1", "grading-worker-2"]
    fork_servers = ["fork-server-server", "fork-server-kernel"]
    assert [service["name"] for service in found] == [*names, *fork_servers, "idle-culler"]
    assert not any("A_SECRET_OF_THE_OPERATOR" in service["environment"] for service in found)


def test_nothing_is_warmed_where_that_is_turned_off(tmp_path: Path) -> None:
    settings = Settings(server={"state_dir": tmp_path}, warm={"enabled": False})
    assert not any("fork" in service["name"] for service in services(settings))
