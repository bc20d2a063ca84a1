"""Runs the migrations against the database that `ulab_core.database` names."""

from alembic import context

from ulab_core.database import open_engine
from ulab_core.publishing_models import Base  # the last of the models' modules: it knows all tables

engine = open_engine(context.config.attributes["url"])
with engine.execution_options(writes=True).connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
engine.dispose()
