"""Servers that data sets are kept on: Debian's sshd, and one that speaks S3."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncssh
from integration.hub_stub import free_port

from ulab_datasets.card import FromDebian
from ulab_datasets.dvc_repo import S3_PYTHON
from ulab_datasets.fetch import unpack

PATIENCE_S = 60
# Of every Debian, and not locked as nobody is.
ACCOUNT = "daemon"
BUCKET = "lab"
# The calls without a key that make the account; from the next one on a key is asked for.
MAKE_ACCOUNT = """
import boto3, json, sys
told = dict(
    endpoint_url=sys.argv[1], region_name="us-east-1",
    aws_access_key_id="nobody", aws_secret_access_key="nobody",
)
iam = boto3.client("iam", **told)
iam.create_user(UserName="base")
allowed = [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]
policy = json.dumps({"Version": "2012-10-17", "Statement": allowed})
iam.put_user_policy(UserName="base", PolicyName="bucket", PolicyDocument=policy)
boto3.client("s3", **told).create_bucket(Bucket=sys.argv[2])
key = iam.create_access_key(UserName="base")["AccessKey"]
print(json.dumps([key["AccessKeyId"], key["SecretAccessKey"]]))
"""
CALLS_WITHOUT_KEY = 4


@dataclass(frozen=True)
class SshHost:
    """A running sshd.

    Attributes
    ----------
    url
        The address of a folder there.
    folder
        That folder.
    key
        Lets in.
    known_hosts
        Holds the host's key.
    """

    url: str
    folder: Path
    key: Path
    known_hosts: Path


@contextmanager
def sshd(scratch: Path) -> Iterator[SshHost]:
    """Debian's sshd on the loopback interface, as an ordinary user, with sftp and nothing else."""
    name = ACCOUNT if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    # Not below pytest's folder, which this user can't enter.
    with tempfile.TemporaryDirectory(prefix="ulab-sshd-") as own:
        folder, port = Path(own), free_port()
        folder.chmod(0o755)
        programs = []
        for package, member in (
            ("openssh-server", "usr/sbin/sshd"),
            ("libwrap0", "usr/share/doc/libwrap0/copyright"),
        ):
            work = folder / package
            work.mkdir()
            programs.append(
                unpack(FromDebian(kind="debian", package=package), [member], work, scratch / "apt")
            )
        host_key, key = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
        host_key.write_private_key(folder / "host_key")
        key.write_private_key(scratch / "key")
        for file in (folder / "host_key", scratch / "key"):
            file.chmod(0o600)
        (folder / "authorized").write_bytes(key.export_public_key())
        (folder / "kept").mkdir()
        (folder / "config").write_text(
            f"ListenAddress 127.0.0.1\nPort {port}\nHostKey {folder}/host_key\nPidFile none\n"
            f"AuthorizedKeysFile {folder}/authorized\nStrictModes no\nUsePAM no\n"
            "PasswordAuthentication no\nKbdInteractiveAuthentication no\n"
            "Subsystem sftp internal-sftp\nForceCommand internal-sftp\n"
        )
        known = scratch / "known_hosts"
        known.write_bytes(f"[127.0.0.1]:{port} ".encode() + host_key.export_public_key())
        if os.geteuid() == 0:
            for path in (folder / "host_key", folder / "kept"):
                shutil.chown(path, name)
        [library] = programs[1].rglob("libwrap.so.0")
        user = name if os.geteuid() == 0 else None
        server = subprocess.Popen(
            [programs[0] / "usr/sbin/sshd", "-D", "-e", "-f", folder / "config"],
            env={"LD_LIBRARY_PATH": str(library.parent)},
            user=user, group="nogroup" if user else None, extra_groups=[] if user else None,
            stderr=(scratch / "sshd.log").open("wb"), start_new_session=True,
        )  # fmt: skip
        try:
            wait_for(port, server)
            kept = folder / "kept"
            yield SshHost(f"ssh://{name}@127.0.0.1:{port}{kept}", kept, scratch / "key", known)
        finally:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


@dataclass(frozen=True)
class S3:
    """A running server of S3, and the key of its one account."""

    endpoint: str
    key_id: str
    secret: str

    @property
    def url(self) -> str:
        return f"s3://{BUCKET}/datasets"

    def write_credentials(self, file: Path, changes: Mapping[str, str] = {}) -> None:
        values = {"aws_access_key_id": self.key_id, "aws_secret_access_key": self.secret} | changes
        file.touch(mode=0o600)
        file.write_text("[base]\n" + "".join(f"{name} = {v}\n" for name, v in values.items()))


@contextmanager
def s3_server(scratch: Path) -> Iterator[S3]:
    """moto's server, which asks for a key that its account has."""
    port = free_port()
    plain = {name: v for name, v in os.environ.items() if not name.startswith("AWS_")}
    with (scratch / "s3.log").open("wb") as log:
        server = subprocess.Popen(
            [S3_PYTHON.with_name("moto_server"), "-H", "127.0.0.1", "-p", str(port)],
            env={**plain, "INITIAL_NO_AUTH_ACTION_COUNT": str(CALLS_WITHOUT_KEY)},
            stdout=log, stderr=log,
        )  # fmt: skip
    try:
        wait_for(port, server)
        endpoint = f"http://127.0.0.1:{port}"
        made = subprocess.run(
            [S3_PYTHON, "-c", MAKE_ACCOUNT, endpoint, BUCKET],
            env=plain, stdout=subprocess.PIPE, text=True, check=True,
        )  # fmt: skip
        yield S3(endpoint, *json.loads(made.stdout))
    finally:
        server.kill()
        server.wait()


def wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        assert server.poll() is None, "the server has ended"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("the server does not come up")
