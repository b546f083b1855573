"""A notice to one friend: a template whose variables staff fill in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lineadmin.errors import DomainError
from lineadmin.i18n import _, _l
from lineadmin.messages import names
from lineadmin.messages.models import MessageTemplate
from lineadmin.messages.parts import Text, dump_parts, parse_parts

LONGEST_VALUE = 100


def variables_of(template: MessageTemplate) -> list[str]:
    """What has to be filled in, each once, in order."""
    texts = (part.text for part in parse_parts(template.parts) if isinstance(part, Text))
    return list(dict.fromkeys(name for text in texts for name in names.variables(text)))


def filled(template: MessageTemplate, values: Mapping[str, str]) -> list[dict[str, Any]]:
    """The message with every variable filled in, in JSON form.

    :raises DomainError: one is missing or too long; its field is the variable's name
    """
    tidy = {}
    for name in variables_of(template):
        value = " ".join(values.get(name, "").split())
        if not value:
            raise DomainError(_("Fill in {%(name)s}.", name=name), field=name)
        if len(value) > LONGEST_VALUE:
            raise DomainError(_l("At most %(count)s characters.", count=LONGEST_VALUE), field=name)
        tidy[name] = value
    return dump_parts(
        part.model_copy(update={"text": names.fill(part.text, tidy)})
        if isinstance(part, Text)
        else part
        for part in parse_parts(template.parts)
    )
