"""Alembic's entry: runs on the connection that `migrate` hands in, inside its transaction."""

from alembic import context

from tcgtracker.database.migrate import include_object
from tcgtracker.database.tables import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    compare_type=True,
    transactional_ddl=False,  # the caller's transaction is the only one
    include_object=include_object(connection.dialect.name),
)
context.run_migrations()
