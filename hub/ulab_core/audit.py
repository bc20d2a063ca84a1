"""The audit log: one added row for each thing that changes someone's standing."""

from __future__ import annotations

from sqlalchemy.orm import Session

from ulab_core.models import AuditEntry


def record(session: Session, actor: str, action: str, target: str, **detail: object) -> None:
    """Add an entry to the transaction that makes the change, so that neither is without the other.

    Parameters
    ----------
    actor
        A person's name, or the name of the part of the base that acted.
    action
        A verb with its object, such as ``assignment.publish``.
    target
        What it was done to, such as ``vision-2026/garments``.
    **detail
        Plain JSON values.
    """
    session.add(AuditEntry(actor=actor, action=action, target=target, detail=detail))
