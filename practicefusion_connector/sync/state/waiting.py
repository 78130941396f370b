"""Which resources wait for a reference whose target has arrived: one query over the memory."""

from __future__ import annotations

from typing import Any

from sqlalchemy import and_, func, select, tuple_

from practicefusion_connector.database import Database
from practicefusion_connector.sync.items import Key
from practicefusion_connector.sync.state import schema

# A resource, the target's id of it, and the target's ids of what it waited for.
Ready = tuple[Key, str, dict[Key, str]]


def ready(database: Database, sync: int, after: Key | None, limit: int) -> list[Ready]:
    """Return resources behind `after` that wait for what the target holds now, in order."""
    wait, own, other = schema.waiting.c, schema.records.alias(), schema.records.alias()
    names = schema.aliases
    # What is waited for is named by its id or, in `wanted_id` too, by an alias.
    meant = func.coalesce(names.c.source_id, wait.wanted_id)
    named = and_(
        names.c.sync == wait.sync,
        names.c.type == wait.wanted_type,
        names.c.alias == wait.wanted_id,
    )
    statement = (
        select(wait.type, wait.source_id, own.c.target_id)
        .add_columns(wait.wanted_type, wait.wanted_id, other.c.target_id)
        .join_from(schema.waiting, own, _held(own.c, wait.sync, wait.type, wait.source_id))
        .outerjoin(names, named)
        .join(other, _held(other.c, wait.sync, wait.wanted_type, meant))
        .where(wait.sync == sync)
        .order_by(wait.type, wait.source_id)
    )
    if after is not None:
        statement = statement.where(tuple_(wait.type, wait.source_id) > tuple_(*after))
    found: dict[Key, tuple[str, dict[Key, str]]] = {}
    with database.connect() as connection:
        streamed = connection.execution_options(yield_per=500).execute(statement)
        # A resource may wait for several; its rows follow one another.
        for kind, source_id, target_id, wanted_type, wanted_id, wanted_target in streamed:
            key = Key(kind, source_id)
            if key not in found and len(found) == limit:
                break
            _, wanted = found.setdefault(key, (target_id, {}))
            wanted[Key(wanted_type, wanted_id)] = wanted_target
        streamed.close()
    return [(key, target_id, wanted) for key, (target_id, wanted) in found.items()]


def _held(rows: Any, sync: Any, kind: Any, source_id: Any) -> Any:
    """Return the condition that a record is the one meant and has an id on the target."""
    return and_(
        rows.sync == sync,
        rows.type == kind,
        rows.source_id == source_id,
        rows.target_id.is_not(None),
    )
