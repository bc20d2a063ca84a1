"""The tables of U Lab's own database; nbgrader, JupyterHub and MLflow keep theirs.

Those of teams are in `ulab_core.team_models`.
"""

from ulab_core.models.assignments import (
    Assignment,
    Counts,
    Extension,
    FeedbackPolicy,
    Group,
    GroupMember,
    LatePer,
    LateRule,
    LateUnit,
)
from ulab_core.models.columns import Base, UtcDateTime, enum_column, new_id, utc_now
from ulab_core.models.courses import (
    COURSE_ID,
    PERSON_NAME,
    PERSON_NAME_REFUSED,
    Course,
    Enrolment,
    Person,
    Role,
)
from ulab_core.models.log import AuditEntry
from ulab_core.models.submissions import (
    Job,
    JobState,
    Lane,
    Regrade,
    RegradedSubmission,
    Submission,
)

__all__ = [
    "COURSE_ID",
    "PERSON_NAME",
    "PERSON_NAME_REFUSED",
    "Assignment",
    "AuditEntry",
    "Base",
    "Counts",
    "Course",
    "Enrolment",
    "Extension",
    "FeedbackPolicy",
    "Group",
    "GroupMember",
    "Job",
    "JobState",
    "Lane",
    "LatePer",
    "LateRule",
    "LateUnit",
    "Person",
    "Regrade",
    "RegradedSubmission",
    "Role",
    "Submission",
    "UtcDateTime",
    "enum_column",
    "new_id",
    "utc_now",
]
