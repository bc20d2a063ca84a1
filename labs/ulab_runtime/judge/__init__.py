"""Grading that a submission can't forge: tests run in a judge, the student's code beside it.

The judge and the student process are two processes in two sandboxes. Between them go plain data and
requests to call what stays with the student; `docs/grading.md` says how.
"""
