"""What is wrong with the braces in the words of a card or a notification."""

from __future__ import annotations

from collections.abc import Iterator

from lineadmin.i18n import _
from lineadmin.messages import names


def unmeant(field: str, words: str) -> Iterator[tuple[str, str]]:
    """Nothing left without a name, or braces that mean nothing, as (field, sentence)."""
    if words.strip() and not names.substitute(words, None).strip():
        yield field, _("Without a name this would be empty. Write something more.")
    for written in names.unknown_placeholders(words):
        yield (
            field,
            _(
                "%(written)s means nothing here. Write {name} for the friend's name, and {{ for "
                "a brace.",
                written=written[:40],
            ),
        )
