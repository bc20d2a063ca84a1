"""What a requester may ask for, checked before anything is done with it."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from ulab_runtime.forkserver.wire import Malformed

Text = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$")]
Variable = Annotated[str, StringConstraints(pattern=r"^[^\x00=]+$")]


class ForkRequest(BaseModel):
    """A program to run in a forked child.

    Parameters
    ----------
    nonce
        What the server said when the requester connected.
    module
        A module with a function ``main()``, which is called. It is imported inside the sandbox.
    argv
        The arguments that ``main()`` finds in ``sys.argv``.
    env
        The whole environment.
    cwd
        The working directory, as seen in the sandbox.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    nonce: str
    module: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$")]
    argv: list[Text] = Field(max_length=256)
    env: dict[Variable, Text] = Field(max_length=1024)
    cwd: Annotated[str, StringConstraints(pattern=r"^/[^\x00]*$")]

    @classmethod
    def of(cls, message: dict[str, Any]) -> ForkRequest:
        """
        Raises
        ------
        Malformed
            The message isn't a request.
        """
        try:
            return cls.model_validate(message)
        except ValidationError as error:
            # Not what it says: that may be a token, and what it says is written down.
            wrong = {str(found["loc"][0]) for found in error.errors() if found["loc"]}
            known = sorted(wrong & cls.model_fields.keys())
            raise Malformed(f"the request has something wrong: {', '.join(known)}") from None
