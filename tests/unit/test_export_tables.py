"""Every table of MLflow's database is exported or left out on purpose."""

from __future__ import annotations

from ulab_mlflow.export_tables import ADDRESSES, LEFT_OUT, selections, tables


def test_each_table_is_decided() -> None:
    there = set(tables().tables)
    taken = set(selections("windfarm"))
    assert taken | LEFT_OUT == there
    assert not taken & LEFT_OUT


def test_every_column_of_an_address_is_known() -> None:
    """A new place where MLflow keeps addresses would point into the workspace that is left."""
    named = tables().tables
    for table, columns in ADDRESSES.items():
        assert set(columns) <= set(named[table].c.keys())
    hints = ("artifact", "location", "uri", "source")
    suspects = {
        (table, column)
        for table in selections("windfarm")
        for column in named[table].columns.keys()  # noqa: SIM118
        if any(hint in column for hint in hints)
    }
    known = {(table, column) for table, columns in ADDRESSES.items() for column in columns}
    # What these say is no address of files.
    said = {
        ("runs", "source_type"), ("runs", "source_name"), ("runs", "source_version"),
        ("datasets", "dataset_source"), ("datasets", "dataset_source_type"),
        ("inputs", "source_type"), ("inputs", "source_id"),
        ("logged_models", "source_run_id"),
        ("assessments", "source_type"), ("assessments", "source_id"),
        ("evaluation_dataset_records", "source"), ("evaluation_dataset_records", "source_id"),
        ("evaluation_dataset_records", "source_type"),
        ("entity_associations", "source_type"), ("entity_associations", "source_id"),
    }  # fmt: skip
    assert suspects - known <= said, suspects - known - said
