"""nbgrader in a person's sandbox: its exchange is the portal, its course folder the mounted one."""

import os
from typing import Any

from ulab_coursework import exchange, exchange_teaching
from ulab_hub.singleuser.start import COURSE_FOLDER

c: Any = get_config()  # type: ignore[name-defined]  # noqa: F821

c.ExchangeFactory.exchange = exchange.Exchange
c.ExchangeFactory.list = exchange.ExchangeList
c.ExchangeFactory.fetch_assignment = exchange.ExchangeFetchAssignment
c.ExchangeFactory.submit = exchange.ExchangeSubmit
c.ExchangeFactory.fetch_feedback = exchange.ExchangeFetchFeedback
c.ExchangeFactory.release_assignment = exchange_teaching.ExchangeReleaseAssignment
c.ExchangeFactory.release_feedback = exchange_teaching.ExchangeReleaseFeedback
c.ExchangeFactory.collect = exchange_teaching.ExchangeCollect
c.Exchange.assignment_dir = os.environ["HOME"]
# Kernels that validate a notebook use no TCP either.
c.KernelManager.transport = "ipc"

if "ULAB_COURSE" in os.environ:
    c.CourseDirectory.root = COURSE_FOLDER
    c.CourseDirectory.course_id = os.environ["ULAB_COURSE"]
    # Graders and the base's workers write the same gradebook and wait for one another.
    c.CourseDirectory.db_url = f"sqlite:///{COURSE_FOLDER}/gradebook.db?timeout=30"
    c.CourseDirectory.groupshared = True
    # What formgrader shows was made by students.
    c.HTMLExporter.sanitize_html = True
