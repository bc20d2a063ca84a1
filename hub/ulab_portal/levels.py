"""How far a student has to be for a lab, in words."""

from ulab_core.i18n import mark

LEVELS = {
    "foundation": mark("Foundation lab"),
    "core": mark("Core lab"),
    "advanced": mark("Advanced lab"),
    "capstone": mark("Capstone project"),
}
"""By the level that `lab.yaml` names."""
