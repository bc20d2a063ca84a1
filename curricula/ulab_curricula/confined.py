"""Inside a sandbox: runs a runner's job from standard input, and tells all it wrote as one JSON.

So nothing outside has to read files that a stranger's code made.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


def main() -> None:
    """Run the job in a process of its own, which may break down, and tell what there is."""
    job = json.load(sys.stdin)
    out = Path("/tmp/told")
    out.mkdir()
    file = Path("/tmp/job.json")
    file.write_text(json.dumps({**job, "out": str(out)}), encoding="utf-8")
    subprocess.run(
        [sys.executable, "-m", "ulab_curricula.runner", str(file)],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False,
    )  # fmt: skip
    json.dump({path.stem: path.read_text("utf-8") for path in out.glob("*.json")}, sys.stdout)


if __name__ == "__main__":
    main()
