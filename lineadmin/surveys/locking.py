"""One at a time: whoever answers a survey and whoever changes its questions."""

from __future__ import annotations

from lineadmin.db import is_postgres
from lineadmin.surveys.models import Survey


def locked(survey_id: int) -> Survey:
    """The survey as it is now; others who want it locked wait until this transaction ends.

    On SQLite the transaction is the only writer already.

    :raises Survey.DoesNotExist: there is none with this id
    """
    query = Survey.select().where(Survey.id == survey_id)
    if is_postgres():
        query = query.for_update(for_update="FOR NO KEY UPDATE")  # type: ignore[arg-type]
    survey: Survey = query.get()
    return survey
