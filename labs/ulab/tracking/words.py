"""What a student is told about a run that can't be sent: one sentence, once."""

from __future__ import annotations

import sys
from functools import cache

from ulab.language import say
from ulab.tracking.trouble import Trouble


def _both(reason: str, rest: str) -> str:
    # Chinese sentences follow each other without a space.
    return say(zh=f"{reason}{rest}", en=f"{reason} {rest}")


def not_recorded(reason: str) -> str:
    rest = say(
        zh="这次运行不会被记录，其余照常。", en="This run is not recorded; all else goes on."
    )
    return _both(reason, rest)


def sent_later(trouble: str, sentence: str) -> str:
    """Why a run is not sent now; what it logs is kept."""
    if trouble == Trouble.LOGIN:
        reason = say(
            zh="实验跟踪服务不再接受这个服务器的登录，请在控制面板里重启服务器。",
            en="Experiment tracking no longer accepts this server's login: "
            "restart it from the control panel.",
        )
    elif trouble == Trouble.FORBIDDEN:
        reason = sentence
    else:
        reason = say(
            zh="实验跟踪服务暂时连不上。", en="Experiment tracking can't be reached just now."
        )
    rest = say(
        zh="这次运行先记在本机，恢复后自动补发，其余照常。",
        en="This run is kept here and sent when it can be; all else goes on.",
    )
    return _both(reason, rest)


def still_sending() -> str:
    return say(
        zh="这次运行的记录还没有发完，剩下的会在后台继续发送。",
        en="Not all of this run has arrived yet; the rest is sent in the background.",
    )


def disk_is_full() -> str:
    return say(
        zh="你的主目录写不进去了（磁盘满了？），这次运行有一部分没有记下来。",
        en="Your home can't be written to (is the disk full?), so part of this run is not kept.",
    )


def room_was_made() -> str:
    return say(
        zh="等待发送的记录太多，最早的一部分已放弃。",
        en="Too much is waiting to be sent; the oldest of it was given up.",
    )


def too_large(name: str, size: int) -> str:
    return say(
        zh=f"文件 {name} 太大（{size / 1e6:.0f} MB），没有随这次运行保存。",
        en=f"The file {name} is too large to be kept with the run ({size / 1e6:.0f} MB).",
    )


def values_refused(count: int, sentence: str) -> str:
    return say(
        zh=f"有 {count} 项没有被服务器接受：{sentence}",
        en=f"{count} of what was logged the server did not take: {sentence}",
    )


def param_is_set(name: str, value: str) -> str:
    return say(
        zh=f"参数 {name} 已记录为另一个值，不能再改成 {value}。",
        en=f"the parameter {name} has another value already and can't become {value}.",
    )


def run_was_deleted() -> str:
    return say(zh="这次运行已被删除。", en="the run was deleted.")


def files_elsewhere(where: str) -> str:
    return say(
        zh=f"服务器把文件保存在别处（{where}）。",
        en=f"the server keeps files elsewhere ({where}).",
    )


def no_such_experiment(workspace: str, name: str) -> str:
    return say(
        zh=f"你不能在 {workspace} 中新建 MLflow 实验“{name}”。如果 {workspace} 是一门课程，"
        f'请指定其中的一个作业：ulab.track(workspace="{workspace}", experiment="作业")。',
        en=f"You can't make the experiment “{name}” in {workspace}. If {workspace} is a course, "
        "name one of its assignments: "
        f'ulab.track(workspace="{workspace}", experiment="assignment").',
    )


def no_number(name: str, kind: str) -> str:
    return say(
        zh=f"{name} 不是一个数（而是 {kind}），没有记下来。",
        en=f"{name} is no single number (but {kind}) and was not logged.",
    )


def tell(sentence: str) -> None:
    print(sentence, file=sys.stderr)


@cache
def tell_of_no_server() -> None:
    """Once in a notebook, however many runs it makes."""
    tell(
        say(
            zh="这里没有实验跟踪服务。运行不会被记录，其余照常。",
            en="There is no tracking server here. Runs are not recorded; all else goes on.",
        )
    )
