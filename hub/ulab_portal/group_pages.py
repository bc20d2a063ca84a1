"""Groups of a lab: a student makes, joins and leaves one; the instructor forms and lists them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, UploadFile
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from ulab_core.errors import TooLarge, UserError
from ulab_core.i18n import mark
from ulab_core.models import Role, utc_now
from ulab_core.rights import Act
from ulab_coursework import forming, regrading
from ulab_coursework.courses import find_assignment, people_of, require_right
from ulab_coursework.grouping import Placed, parse_groups
from ulab_coursework.groups import groups_of, placed, to_csv
from ulab_coursework.policies import set_policy
from ulab_portal.areas import area
from ulab_portal.page import Page, acting, reading
from ulab_portal.watching import viewer_of

router = APIRouter(prefix="/courses/{course_id}")
MAX_BYTES = 2 * 1024 * 1024


@router.post("/labs/{name}/group/make")
def make(
    course_id: str,
    name: str,
    page: Annotated[Page, Depends(acting)],
    group: Annotated[str, Form()] = "",
) -> Response:
    """Make a group with whoever asks in it."""
    with page.portal.db.write() as session:
        forming.make(session, course_id, name, page.user.name, group, utc_now())
    return page.go(f"courses/{course_id}/labs/{name}")


@router.post("/labs/{name}/group/join")
def join(
    course_id: str,
    name: str,
    page: Annotated[Page, Depends(acting)],
    code: Annotated[str, Form()] = "",
) -> Response:
    """Join the group with a code."""
    with page.portal.db.write() as session:
        forming.join(session, course_id, name, page.user.name, code, utc_now())
    return page.go(f"courses/{course_id}/labs/{name}")


@router.post("/labs/{name}/group/leave")
def leave(course_id: str, name: str, page: Annotated[Page, Depends(acting)]) -> Response:
    """Leave one's group."""
    with page.portal.db.write() as session:
        forming.leave(session, course_id, name, page.user.name, utc_now())
    return page.go(f"courses/{course_id}/labs/{name}")


@router.get("/teach/labs/{name}/groups")
def groups(
    course_id: str, name: str, page: Annotated[Page, Depends(reading)], moved: int | None = None
) -> Response:
    """A lab's groups, and the students who are in none."""
    with page.portal.db.read() as session:
        viewer = viewer_of(session, page, course_id)
        found = find_assignment(session, course_id, name)
        where = placed(session, found)
        students = people_of(session, course_id, Role.STUDENT)
        return page.answer(
            "teach_groups.html",
            course=found.course,
            course_title=found.course.title(page.language),
            area=area(found.course.focus_area),
            lab=found,
            title=found.title(page.language),
            viewer=viewer,
            groups=groups_of(session, found),
            students=students,
            where=where,
            alone=[one for one in students if not where[one.name]],
            moved=moved,
        )


@router.post("/teach/labs/{name}/groups/settings")
def settings(
    course_id: str,
    name: str,
    page: Annotated[Page, Depends(acting)],
    size: Annotated[int, Form(ge=1, le=1000)] = 1,
    own: Annotated[bool, Form()] = False,
) -> Response:
    """How large groups may be, and who forms them; a size of one means none."""
    wanted = {"group_size": size if size > 1 else None, "own_groups": own and size > 1}
    with page.portal.db.write() as session:
        require_right(session, course_id, page.user.name, Act.GROUPS)
        set_policy(session, course_id, name, wanted, page.user.name)
    return page.go(f"courses/{course_id}/teach/labs/{name}/groups")


@router.post("/teach/labs/{name}/groups/move")
def move(
    course_id: str,
    name: str,
    page: Annotated[Page, Depends(acting)],
    student: Annotated[str, Form()],
    group: Annotated[str, Form()] = "",
) -> Response:
    """Put one student into a group, or out of theirs."""
    return _placed(page, course_id, name, [Placed(1, student, group)])


@router.post("/teach/labs/{name}/groups/import")
async def import_(
    course_id: str,
    name: str,
    page: Annotated[Page, Depends(acting)],
    file: UploadFile | None = None,
) -> Response:
    """Put students where a file says."""
    if file is None or not file.filename:
        raise UserError(mark("Choose a CSV file first."))
    content = await file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise TooLarge(mark("A file of groups may have 2 MB at most."))
    return await run_in_threadpool(_placed, page, course_id, name, parse_groups(content))


def _placed(page: Page, course_id: str, name: str, wanted: list[Placed]) -> Response:
    portal = page.portal
    with portal.db.write() as session:
        require_right(session, course_id, page.user.name, Act.GROUPS)
        moves = forming.place(session, course_id, name, wanted, page.user.name)
    # Whose work counts for the gradebook may be another's now.
    regrading.follow(portal.db, portal.layout, course_id, name)
    return page.go(f"courses/{course_id}/teach/labs/{name}/groups?moved={len(moves)}")


@router.get("/teach/labs/{name}/groups.csv")
def export(course_id: str, name: str, page: Annotated[Page, Depends(reading)]) -> Response:
    """Every student with their group, in the form that the import reads."""
    with page.portal.db.read() as session:
        viewer_of(session, page, course_id)
        text = to_csv(session, find_assignment(session, course_id, name), page.language)
    return Response(
        text,
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": f'attachment; filename="{course_id}-{name}-groups.csv"'},
    )
