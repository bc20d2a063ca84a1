"""Register a new data set: ``python -m ulab_datasets NAME…`` writes its .dvc file."""

from __future__ import annotations

import sys

from ulab_core.errors import UserError
from ulab_datasets.store import register


def main(names: list[str]) -> int:
    """Register each name; the exit code says whether all went well."""
    if not names:
        print(__doc__)
        return 2
    for name in names:
        try:
            print(register(name))
        except UserError as error:
            print(error, file=sys.stderr)
            return error.exit_code
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
