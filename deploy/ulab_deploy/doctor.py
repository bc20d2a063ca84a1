"""What is wrong with a machine and what to do about it: decisions from facts, nothing looked up."""

from __future__ import annotations

import errno
from collections.abc import Iterator

from ulab_core.i18n import mark
from ulab_deploy.facts import Facts
from ulab_deploy.findings import Finding, Level

OLDEST_PYTHON = (3, 11)
LITTLE_DISK_MB, SOME_DISK_MB = 1024, 10 * 1024
LITTLE_MEMORY_MB = 4 * 1024


def examine(facts: Facts) -> list[Finding]:
    """Everything checked, in the order a person would want to read it."""
    checks = (
        check_python,
        check_sandbox,
        check_limits,
        check_port,
        check_exposure,
        check_state,
        check_disk,
        check_memory,
        check_programs,
        check_gpu,
    )
    return [finding for check in checks for finding in check(facts)]


def check_python(facts: Facts) -> Iterator[Finding]:
    values: dict[str, object] = {"version": ".".join(map(str, facts.python))}
    if facts.system != "Linux":
        yield Finding(
            "system",
            Level.PROBLEM,
            mark("This is {system}; the base runs on Linux."),
            mark("Use Debian 12 or Ubuntu, in a virtual machine if need be."),
            {"system": facts.system},
        )
    if facts.python < OLDEST_PYTHON:
        yield Finding(
            "python",
            Level.PROBLEM,
            mark("Python {version} is too old; 3.11 is needed."),
            mark("Install a newer one and build again: make PYTHON=python3.12 install"),
            values,
        )
    else:
        yield Finding("python", Level.OK, mark("Python {version}."), values=values)


def check_sandbox(facts: Facts) -> Iterator[Finding]:
    if facts.bwrap is None:
        yield Finding(
            "bubblewrap",
            Level.PROBLEM,
            mark("Sandboxes can't be made: {error}"),
            mark("Build the environment again (make install), or apt-get install bubblewrap."),
            {"error": facts.sandbox_error},
        )
        return
    if facts.sandbox_error is None:
        message = mark("Sandboxes work ({bwrap}).")
        yield Finding("sandbox", Level.OK, message, values={"bwrap": facts.bwrap})
        return
    if facts.environment_closed:
        yield Finding(
            "environment",
            Level.PROBLEM,
            mark("Students can't read this installation: {error}"),
            mark("Open it to read: chmod -R go+rX {checkout}"),
            {"error": facts.sandbox_error, "checkout": facts.checkout},
        )
        return
    for name, refused, needed, advice in _USERNS:
        if facts.sysctls.get(name) == refused:
            yield Finding(
                "user-namespaces",
                Level.PROBLEM,
                mark(
                    "This system refuses user namespaces ({name} = {value}), so no sandbox works."
                ),
                advice,
                {"name": name, "value": refused, "needed": needed, "checkout": facts.checkout},
            )
            return
    yield Finding(
        "sandbox",
        Level.PROBLEM,
        mark("A sandbox could not be started: {error}"),
        mark(
            "Inside a container, allow user namespaces for it (Docker: --security-opt "
            "seccomp=unconfined), or use a virtual machine."
        ),
        {"error": facts.sandbox_error},
    )


_SET_IT = mark(
    "An administrator runs: sudo sysctl -w {name}={needed} "
    "(and writes it into /etc/sysctl.d/ulab.conf to keep it)."
)
_USERNS = (
    (
        "kernel.apparmor_restrict_unprivileged_userns",
        1,
        0,
        mark(
            "Ubuntu 24.04 and newer do so. An administrator runs: "
            "sudo apt-get install bubblewrap && "
            "sudo cp {checkout}/deploy/apparmor/bwrap /etc/apparmor.d/bwrap && "
            "sudo apparmor_parser -r /etc/apparmor.d/bwrap"
        ),
    ),
    ("kernel.unprivileged_userns_clone", 0, 1, _SET_IT),
    ("user.max_user_namespaces", 0, 15000, _SET_IT),
)


def check_limits(facts: Facts) -> Iterator[Finding]:
    if facts.limits:
        # The runtime words it; a machine without cgroups still serves, with looser limits.
        yield Finding("limits", Level.OK, facts.limits)


def check_port(facts: Facts) -> Iterator[Finding]:
    values: dict[str, object] = {"host": facts.host, "port": facts.port, "pid": facts.running}
    if facts.running:
        message = mark("The base is running (process {pid}) on port {port}.")
        yield Finding("port", Level.OK, message, values=values)
        return
    if facts.bind_errno is None:
        yield Finding("port", Level.OK, mark("Port {port} on {host} is free."), values=values)
        return
    if facts.bind_errno == errno.EADDRINUSE:
        message = mark("Port {port} on {host} is taken by another program.")
        advice = mark("Stop that program, or choose another port: server.port in ulab.toml.")
    elif facts.bind_errno == errno.EACCES:
        message = mark("Port {port} may only be used by root.")
        advice = mark("Choose a port above 1023 (server.port in ulab.toml), or run as root.")
    else:
        message = mark("This machine has no address {host}.")
        advice = mark("Set server.host in ulab.toml to 127.0.0.1 or to 0.0.0.0.")
    yield Finding("port", Level.PROBLEM, message, advice, values)


def check_exposure(facts: Facts) -> Iterator[Finding]:
    if facts.loopback:
        return
    if not facts.public_url.startswith("https://"):
        yield Finding(
            "tls",
            Level.WARNING,
            mark(
                "The base listens on {host} without TLS, so passwords cross the network readable."
            ),
            mark(
                "Put a reverse proxy with a certificate in front and set server.public_url "
                "(docs/operator.md)."
            ),
            {"host": facts.host},
        )
    if not facts.root:
        yield Finding(
            "ordinary-user",
            Level.WARNING,
            mark("Without root, students' processes run under your own user, in their sandboxes."),
            mark("For a base that others reach, run it as root on a machine of its own."),
        )


def check_state(facts: Facts) -> Iterator[Finding]:
    values: dict[str, object] = {"state": facts.state_dir, "reason": facts.state_error}
    if facts.state_error is not None:
        yield Finding(
            "state",
            Level.PROBLEM,
            mark("The state directory {state} can't be written: {reason}."),
            mark("Give it to the user that runs the base, or set server.state_dir in ulab.toml."),
            values,
        )
    elif facts.state_owner not in (None, facts.uid):
        yield Finding(
            "state",
            Level.PROBLEM,
            mark("The state directory {state} belongs to another user."),
            mark("Run the base as the user it always ran as, or choose another state directory."),
            values,
        )
    else:
        yield Finding("state", Level.OK, mark("The state lies in {state}."), values=values)
        if facts.root and not facts.state_acls:
            yield Finding(
                "acls",
                Level.WARNING,
                mark(
                    "The file system of {state} has no POSIX ACLs: a file made in a team's folder "
                    "may be closed to the team for two minutes."
                ),
                mark(
                    "Put the state on ext4, XFS or Btrfs, or switch ACLs on (ZFS: acltype=posix)."
                ),
                values,
            )


def check_disk(facts: Facts) -> Iterator[Finding]:
    values: dict[str, object] = {
        "free": f"{facts.free_disk_mb / 1024:.1f}",
        "state": facts.state_dir,
    }
    advice = mark("Free some space, or move server.state_dir to a larger disk.")
    if facts.free_disk_mb < LITTLE_DISK_MB:
        message = mark("The disk of {state} is full: {free} GiB are left.")
        yield Finding("disk", Level.PROBLEM, message, advice, values)
    elif facts.free_disk_mb < SOME_DISK_MB:
        message = mark("The disk of {state} has only {free} GiB left.")
        yield Finding("disk", Level.WARNING, message, advice, values)
    else:
        yield Finding("disk", Level.OK, mark("{free} GiB of disk are free."), values=values)


def check_memory(facts: Facts) -> Iterator[Finding]:
    values: dict[str, object] = {
        "memory": f"{facts.memory_mb / 1024:.1f}",
        "limit": f"{facts.memory_limit_mb / 1024:.1f}",
    }
    if facts.memory_mb < LITTLE_MEMORY_MB:
        yield Finding(
            "memory",
            Level.WARNING,
            mark("The machine has {memory} GiB of memory; with less than 4 few students fit."),
            mark("Use a larger machine for a class."),
            values,
        )
    elif facts.memory_limit_mb > facts.memory_mb:
        yield Finding(
            "memory",
            Level.WARNING,
            mark("A student may use {limit} GiB, more than the machine has ({memory} GiB)."),
            mark("Lower limits.memory_mb in ulab.toml."),
            values,
        )
    else:
        yield Finding("memory", Level.OK, mark("{memory} GiB of memory."), values=values)


def check_programs(facts: Facts) -> Iterator[Finding]:
    if not (facts.node and facts.proxy):
        yield Finding(
            "proxy",
            Level.PROBLEM,
            mark("The proxy or its Node is not installed."),
            mark("Build the environment: make install"),
        )
    else:
        yield Finding("proxy", Level.OK, mark("The proxy and its Node are installed."))


def check_gpu(facts: Facts) -> Iterator[Finding]:
    values: dict[str, object] = {
        "cards": max(facts.nvidia_cards, facts.nvidia_devices),
        "driver": facts.nvidia_driver,
    }
    if facts.nvidia_driver and facts.nvidia_devices:
        message = mark("{cards} NVIDIA GPU, driver {driver}.")
        yield Finding("gpu", Level.OK, message, values=values)
    elif facts.nvidia_driver or facts.nvidia_cards:
        yield Finding(
            "gpu",
            Level.WARNING,
            mark("There is an NVIDIA GPU, but its driver is not ready; labs run on the CPU."),
            mark("Install it (nvidia-driver on Debian, ubuntu-drivers on Ubuntu) and restart."),
            values,
        )
    else:
        yield Finding("gpu", Level.OK, mark("No GPU; labs run on the CPU."))
