"""The `ulab` command: help, languages, exit codes, and sentences instead of tracebacks."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from typer.testing import CliRunner

import ulab_deploy
from ulab_deploy import console
from ulab_deploy.cli import build
from ulab_deploy.console import language_of, table

PACKAGE = Path(ulab_deploy.__file__).parent
ULAB = [sys.executable, "-m", "ulab_deploy.cli"]
VERBS = [
    ["up"], ["status"], ["doctor"], ["version"], ["grade"],
    ["user", "import"], ["user", "add"], ["user", "list"], ["user", "passwd"],
    ["course", "create"], ["course", "list"], ["course", "enrol"], ["course", "remove"],
    ["course", "policy"], ["course", "extend"], ["course", "regrade"], ["course", "groups"],
    ["course", "similarity"], ["course", "move"],
    ["team", "create"], ["team", "add"], ["team", "remove"], ["team", "list"],
    ["team", "requests"], ["team", "approve"], ["team", "refuse"], ["team", "invite"],
    ["team", "role"], ["team", "show"],
    ["team", "share"], ["team", "shares"], ["team", "unshare"], ["team", "export"],
    ["curricula", "check"], ["curricula", "publish"], ["curricula", "list"],
    ["curricula", "new"], ["curricula", "diff"], ["curricula", "preview"],
    ["curricula", "convert"], ["curricula", "publishers"],
    ["datasets", "pull"], ["datasets", "list"], ["bench", "start"],
    ["bench", "grading"], ["bench", "pages"], ["bench", "memory"], ["bench", "tracking"],
]  # fmt: skip


def ulab(
    *arguments: str, cwd: Path, language: str = "C.UTF-8", **env: str
) -> subprocess.CompletedProcess[str]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("ULAB_")}
    for name in ("LC_ALL", "LC_MESSAGES"):
        plain.pop(name, None)
    return subprocess.run(
        [*ULAB, *arguments],
        cwd=cwd,
        env={**plain, "LANG": language, **env},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_every_verb_has_help_with_an_example(tmp_path: Path) -> None:
    app = build()
    for verb in VERBS:
        shown = CliRunner().invoke(app, [*verb, "--help"])
        assert shown.exit_code == 0, verb
        assert "Example: " in shown.output, verb
        assert f"ulab {' '.join(verb)}" in shown.output, verb


def test_pages_of_help_are_chinese_too() -> None:
    console.speak("zh")
    try:
        shown = [CliRunner().invoke(build(), [*verb, "--help"]).output for verb in VERBS]
    finally:
        console.speak("en")
    for verb, page in zip(VERBS, shown, strict=True):
        assert page.startswith("用法："), verb
        assert "显示本页说明后退出。" in page, verb
        assert "示例：" in page, verb
        assert not re.search("usage|show this|options:|example", page, re.IGNORECASE), verb


def test_no_command_is_left_without_a_word_in_chinese() -> None:
    console.speak("zh")
    try:
        groups = sorted({verb[0] for verb in VERBS if len(verb) > 1})
        shown = [CliRunner().invoke(build(), [group, "--help"]).output for group in groups]
    finally:
        console.speak("en")
    for group, page in zip(groups, shown, strict=True):
        # Shortened between words, of which Chinese has few, a line loses all that it says.
        assert not re.search(r"^  \w.*\.\.\.$", page, re.MULTILINE), (group, page)


def test_there_is_no_verb_beside_those(tmp_path: Path) -> None:
    shown = ulab("--help", cwd=tmp_path).stdout
    block = shown.split("Commands:\n")[1].split("\n\n")[0]
    listed = re.findall(r"^  (\w+)", block, re.MULTILINE)
    assert set(listed) == {verb[0] for verb in VERBS}


def test_help_loads_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom ulab_deploy.cli import build\nbuild()\n"
        "print([m for m in ('torch', 'jupyterhub', 'sqlalchemy', 'nbgrader', 'mlflow', 'dvc', "
        "'pandas') if m in sys.modules])"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert shown == "[]\n"


@pytest.mark.parametrize(
    ("arguments", "environment", "language"),
    [
        (["--language", "zh", "up"], {"LANG": "en_US.UTF-8"}, "zh"),
        (["--language=en", "up"], {"LANG": "zh_CN.UTF-8"}, "en"),
        (["up"], {"LANG": "zh_CN.UTF-8"}, "zh"),
        (["up"], {"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"),
        (["up"], {"LANG": "en_GB.UTF-8", "ULAB_LANGUAGE": "zh"}, "zh"),
        (["up"], {}, "en"),
        (["--language", "fr", "up"], {"LANG": "zh_CN.UTF-8"}, "zh"),
    ],
)
def test_the_language_is_the_persons(
    arguments: list[str], environment: dict[str, str], language: str
) -> None:
    assert language_of(arguments, environment) == language


def test_everything_said_is_translated_and_nothing_else() -> None:
    said = set()
    for source in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in ("t", "mark")
                and isinstance(node.args[0], ast.Constant)
            ):
                said.add(node.args[0].value)
    with (PACKAGE / "locale" / "zh.po").open("rb") as file:
        catalogue = {message.id: message.string for message in read_po(file) if message.id}
    assert said - catalogue.keys() == set()
    assert catalogue.keys() - said == set()
    assert [message for message, text in catalogue.items() if not text] == []


def test_columns_stand_under_one_another_in_chinese_too() -> None:
    assert list(table([("张伟", "a"), ("Li", "b")])) == ["张伟  a", "Li    b"]


@pytest.mark.parametrize(
    ("arguments", "toml", "said", "code"),
    [
        (["status"], "", "There is no base in", 2),
        (["user", "list"], "", "There is no base in", 2),
        (["up"], "[server]\nprot = 1\n", "did you mean server.port?", 2),
        (["doctor"], "not toml", "is not TOML", 2),
        (["user", "import", "roster.csv"], "", "There is no base in", 2),
        (["datasets", "fetch", "fashion"], "", "There is no data set fashion", 1),
        (["curricula", "check", "nolab"], "", "There is no lab nolab", 2),
        (["grade", "garments", "missing.ipynb"], "", "There is no file missing.ipynb", 2),
        (["--config", "none.toml", "status"], "", "none.toml can't be read", 2),
        (["dance"], "", "There is no command dance.", 2),
    ],
)
def test_mistakes_get_a_sentence_and_an_exit_code(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    toml: str,
    said: str,
    code: int,
) -> None:
    # In this process, since every new one loads the database's and the hub's libraries again.
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ULAB_CONFIG", "")
    monkeypatch.delenv("ULAB_CONFIG")
    if toml:
        (tmp_path / "ulab.toml").write_text(toml)
    done = CliRunner().invoke(build(), arguments)
    assert said in done.output
    assert done.exit_code == code


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["usr"], "没有命令 usr。你是不是想写 user？\n用法：ulab [OPTIONS]"),
        (["dance"], "没有命令 dance。\n"),
        (["--zzz", "status"], "没有选项 --zzz。\n"),
        (["team", "create", "--titel", "x"], "没有选项 --titel。你是不是想写 --title"),
        (["team", "create", "--title"], "选项 --title 后面要写一个值。"),
        (["team", "create", "windfarm"], "缺少：owner。\n"),
        (["bench", "start"], "缺少：--students。\n"),
        (["bench", "start", "--students", "x"], "--students 的值不对：请写一个整数。\n"),
        (["bench", "tracking", "--seconds", "x"], "--seconds 的值不对：请写一个数。\n"),
        (["team", "list", "windfarm"], "这些参数是多余的：windfarm。\n"),
    ],
)
def test_a_command_that_there_is_not_is_told_in_chinese(arguments: list[str], said: str) -> None:
    console.speak("zh")
    try:
        done = CliRunner().invoke(build(), arguments, prog_name="ulab")
    finally:
        console.speak("en")
    assert said in done.output
    assert not re.search("error|missing|usage|option [^s]", done.output, re.IGNORECASE)
    assert done.exit_code == 2


def test_mistakes_are_told_in_chinese(tmp_path: Path) -> None:
    done = ulab("status", cwd=tmp_path, language="zh_CN.UTF-8")
    assert "没有实训基地" in done.stderr
    assert done.stdout == ""


def test_our_own_mistakes_show_no_traceback_either(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom ulab_deploy import base, cli\n"
        "def broken():\n    raise KeyError('x')\n"
        "base.open_base = broken\nsys.argv = ['ulab', 'doctor']\ncli.main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 70
    assert "KeyError" in done.stderr
    assert "Traceback" not in done.stderr


def test_json_is_json(tmp_path: Path) -> None:
    versions = json.loads(ulab("version", "--json", cwd=tmp_path).stdout)
    assert versions["jupyterhub"] == "6.1.1"
    listed = json.loads(ulab("datasets", "list", "--json", cwd=tmp_path).stdout)
    assert {"dataset", "titles", "licence", "fetched"} <= listed[0].keys()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("curricula", "preview", "garments", "--out", "file"), "file can't be used: File exists"),
        (("curricula", "preview", "garments", "--out", "file/in"), "file/in can't be used: Not a"),
        (("datasets", "show", "a" * 300), "can't be used: File name too long."),
        (("curricula", "check", "./empty"), "empty/lab.yaml is missing"),
        (("curricula", "check", "./\udcff"), r"\udcff/lab.yaml is missing"),
    ],
)
def test_files_that_can_not_be_used_are_sentences(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    (tmp_path / "empty" / "labs").mkdir(parents=True)
    done = CliRunner().invoke(build(), arguments, prog_name="ulab")
    assert said in done.output
    assert done.exit_code == 2


def test_nothing_that_is_said_acts_on_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    for say in (console.say, console.warn):
        say("两倍\u3000ok\tb\n\x1b]0;evil\x07\x1b[2J\r\x9b1m\u202egnp.\udcff")
    shown = r"\x1b]0;evil\x07\x1b[2J\r\x9b1m\u202egnp.\udcff"
    assert capfd.readouterr() == (f"两倍\u3000ok\tb\n{shown}\n",) * 2
