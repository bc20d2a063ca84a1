"""The `ulab` command: its verbs, each in a small module of its own."""

from __future__ import annotations

import errno
import importlib
import logging
import os
import sys
import warnings
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from ulab_core.errors import UserError
from ulab_deploy import console, usage
from ulab_deploy.console import t

VERBS = (
    "up", "status", "doctor", "user", "course", "team", "curricula", "datasets", "grade", "bench",
    "version",
)  # fmt: skip
INTERNAL_ERROR = 70
# What is the machine's or the writer's to mend. That a file isn't there may be our mistake.
_OF_FILES = {
    errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.ENOTDIR,
    errno.EISDIR, errno.EEXIST, errno.ENAMETOOLONG, errno.ELOOP,
}  # fmt: skip


class Verbs(TyperGroup):
    """Turns whatever goes wrong into a sentence on standard error and an exit code."""

    def make_context(self, *args: Any, **more: Any) -> Any:
        try:
            return super().make_context(*args, **more)
        except usage.UsageError as error:
            raise _misused(error) from None

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except usage.UsageError as error:
            raise _misused(error) from None
        except UserError as error:
            console.warn(console.sentence(error))
            raise typer.Exit(error.exit_code) from None
        except (BrokenPipeError, typer.Exit, typer.Abort):
            # Not errors: how Typer ends a command, and a reader who has seen enough.
            raise
        except Exception as error:
            # Typer's own errors, about how a command is written, show themselves.
            if console.debugging() or callable(getattr(error, "show", None)):
                raise
            if isinstance(error, OSError) and error.errno in _OF_FILES:
                console.warn(_of_a_file(error))
                raise typer.Exit(UserError.exit_code) from None
            console.warn(
                t(
                    "Something went wrong inside U Lab: {kind}: {error}\n"
                    "This is not your mistake. Run it again with ULAB_DEBUG=1 for the details "
                    "that a report needs.",
                    kind=type(error).__name__,
                    error=error,
                )
            )
            raise typer.Exit(INTERNAL_ERROR) from None


def _of_a_file(error: OSError) -> str:
    if error.filename is None:
        return t("A file can't be written: {reason}.", reason=error.strerror)
    return t("{file} can't be used: {reason}.", file=error.filename, reason=error.strerror)


def _misused(error: usage.UsageError) -> typer.Exit:
    console.warn(usage.said(error))
    return typer.Exit(error.exit_code)


def build() -> typer.Typer:
    """The command, in the language chosen before."""
    usage.speak()
    app = typer.Typer(
        cls=Verbs,
        help=t("U Lab: the AI training and experiment platform of a base."),
        epilog=t("Example: ulab up"),
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )

    @app.callback()
    def options(
        config: Annotated[
            str | None, typer.Option(metavar="FILE", help=t("The settings to use (ulab.toml)."))
        ] = None,
        language: Annotated[
            str | None, typer.Option(metavar="zh|en", help=t("The language to speak."))
        ] = None,
    ) -> None:
        if config is not None:
            os.environ["ULAB_CONFIG"] = os.path.abspath(config)  # noqa: PTH100 - no resolving of links

    for verb in VERBS:
        importlib.import_module(f"ulab_deploy.commands.{verb}").register(app)
    return app


def main() -> None:
    """Entry point of the `ulab` script."""
    console.speak(console.language_of(sys.argv[1:], os.environ))
    if not console.debugging():
        # What libraries remark about themselves is no news to whoever runs a command.
        logging.disable(logging.WARNING)
        warnings.simplefilter("ignore")
    build()(prog_name="ulab")


if __name__ == "__main__":
    main()
