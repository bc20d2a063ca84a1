"""Where each thing lies below the state directory; nothing is written anywhere else."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from ulab_core.errors import UserError
from ulab_core.i18n import mark
from ulab_core.settings import Settings

FORK_SERVER_KINDS = ("server", "kernel")
"""What the base has fork servers for: people's Jupyter servers, and kernels."""

# A socket's path has at most 107 bytes on Linux; `forks_of_labs` needs the most of them, 37.
_LONGEST_SOCKET_DIR = 70
# Taken once: a command may have its own temporary files elsewhere for a while.
_OUTSIDE = Path(tempfile.gettempdir())


class SocketFolderTaken(UserError):
    """The folder for sockets outside the state directory isn't ours."""


@dataclass(frozen=True)
class Layout:
    """The state directory's rooms.

    The directory is readable by the base's own user alone; a sandbox is given single rooms of it.
    """

    root: Path

    @classmethod
    def of(cls, settings: Settings) -> Layout:
        return cls(settings.server.state_dir)

    @property
    def run(self) -> Path:
        """Sockets and pid files of running services; may be emptied when nothing runs."""
        return self.root / "run"

    @property
    def socket_dir(self) -> Path:
        """Where services' unix sockets lie: `run`, unless its path is too long for a socket.

        The one thing that can lie outside the state directory, as a folder closed to others.
        """
        if len(os.fsencode(self.run)) <= _LONGEST_SOCKET_DIR:
            return self.run
        digest = hashlib.sha256(os.fsencode(self.root.resolve())).hexdigest()[:16]
        return _OUTSIDE / f"ulab-{os.getuid()}-{digest}"

    @property
    def fork_dir(self) -> Path:
        """What sandboxes see of the fork servers: the socket where they ask for a kernel."""
        return self.socket_dir / "fork"

    @property
    def fork_for_sandboxes(self) -> Path:
        return self.fork_dir / "kernel.sock"

    def fork_for_base(self, kind: str) -> Path:
        """Where the base asks the fork server of one of `FORK_SERVER_KINDS`."""
        return self.socket_dir / f"fork-{kind}.sock"

    def forks_of_labs(self, worker: int) -> Path:
        """The folder for the fork servers of the labs that a grading worker grades now."""
        return self.socket_dir / f"fork-labs-{worker}"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def secrets(self) -> Path:
        """Keys and first passwords, mode 0600 each."""
        return self.root / "secrets"

    @property
    def first_passwords(self) -> Path:
        return self.secrets / "first-passwords.txt"

    @property
    def database(self) -> Path:
        return self.root / "ulab.sqlite"

    @property
    def hub(self) -> Path:
        """JupyterHub's database and cookie secret."""
        return self.root / "hub"

    @property
    def hub_database(self) -> Path:
        return self.hub / "jupyterhub.sqlite"

    @property
    def mlflow(self) -> Path:
        return self.root / "mlflow"

    @property
    def datasets(self) -> Path:
        """The DVC repository that data sets are verified in."""
        return self.root / "datasets"

    @property
    def dataset_store(self) -> Path:
        """What sandboxes see of the data sets, one folder each, read-only."""
        return self.datasets / "store"

    def team_datasets(self, team_id: str) -> Path:
        """The DVC repository of a team's own data sets, closed to everyone else."""
        return self.root / "team-datasets" / team_id

    @property
    def curricula(self) -> Path:
        """Published, immutable curriculum versions."""
        return self.root / "curricula"

    @property
    def checked(self) -> Path:
        """What checks of labs have found; may be emptied."""
        return self.root / "checked"

    @property
    def uploads(self) -> Path:
        """Curricula that were uploaded to be published, and what came of them."""
        return self.root / "uploads"

    def move_trials(self, course: str) -> Path:
        """What moving a course to other versions would do to its scores, as tried in the portal."""
        return self.root / "move-trials" / course

    @property
    def courses(self) -> Path:
        return self.root / "courses"

    @property
    def submissions(self) -> Path:
        """Submitted notebooks by SHA-256; written once, never changed."""
        return self.root / "submissions"

    @property
    def feedback(self) -> Path:
        return self.root / "feedback"

    @property
    def homes(self) -> Path:
        return self.root / "homes"

    def home(self, person: str) -> Path:
        """The home of `person`, a name that `ulab_core.models.Person` admits."""
        return self.homes / person

    @property
    def teams(self) -> Path:
        return self.root / "teams"

    def team(self, team_id: str) -> Path:
        """The folder that the people of a team share."""
        return self.teams / team_id

    def course(self, course_id: str) -> Path:
        """A course's nbgrader folder: source, gradebook, autograded, feedback."""
        return self.courses / course_id

    def gradebook(self, course_id: str) -> Path:
        return self.course(course_id) / "gradebook.db"

    def curriculum_version(self, curriculum: str, version: str) -> Path:
        return self.curricula / curriculum / version

    def submission_file(self, sha256: str) -> Path:
        return self.submissions / sha256[:2] / f"{sha256}.ipynb"

    def feedback_file(self, submission_id: str) -> Path:
        """The feedback page as it was last made; it can always be made again."""
        return self.feedback / f"{submission_id}.html"

    def graded_notebook(self, submission_id: str) -> Path:
        """The notebook as it was graded, with outputs and hidden tests: never for students."""
        return self.feedback / f"{submission_id}.ipynb"

    def verdicts_file(self, submission_id: str) -> Path:
        return self.feedback / f"{submission_id}.verdicts.json"

    def marks_file(self, submission_id: str) -> Path:
        """Points and comments as the feedback page shows them."""
        return self.feedback / f"{submission_id}.marks.json"

    def similarity_file(self, course_id: str, assignment: str) -> Path:
        return self.root / "similarity" / course_id / f"{assignment}.json"

    def prepare(self) -> None:
        """Create the rooms, closed to other users of the machine; safe to repeat."""
        self.root.mkdir(parents=True, exist_ok=True)
        self.root.chmod(0o700)
        rooms = (
            self.run, self.logs, self.secrets, self.hub, self.mlflow, self.datasets,
            self.dataset_store, self.curricula, self.courses, self.submissions, self.feedback,
            self.homes, self.teams,
        )  # fmt: skip
        for room in rooms:
            room.mkdir(exist_ok=True)
        self.secrets.chmod(0o700)
        self._prepare_socket_dir()

    def _prepare_socket_dir(self) -> None:
        sockets = self.socket_dir
        sockets.mkdir(mode=0o700, exist_ok=True)
        status = sockets.lstat()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
            # Beside the state directory anyone could have made it first.
            raise SocketFolderTaken(
                mark("{folder} belongs to someone else. Remove it, or choose a shorter state_dir."),
                folder=sockets,
            )
        sockets.chmod(0o700)
        self.fork_dir.mkdir(exist_ok=True)
        self.fork_dir.chmod(0o755)
