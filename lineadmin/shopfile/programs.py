"""Sequences. Loading publishes: a file counts as confirmed by the shop's owner."""

from __future__ import annotations

from typing import Any

from lineadmin.sequences import actions, drafts
from lineadmin.sequences.definition import Definition, DefinitionError, dump, parse
from lineadmin.sequences.models import Sequence
from lineadmin.sequences.problems import problems
from lineadmin.shopfile.context import Context
from lineadmin.shopfile.errors import Path
from lineadmin.shopfile.schema import SequencePart


def load_sequences(parts: list[SequencePart], context: Context) -> None:
    """Make, publish, change and switch sequences."""
    for index, part in enumerate(parts):
        path = ("sequences", index)
        name = " ".join(part.name.split())
        row = Sequence.get_or_none(Sequence.name == name)
        if row is None and part.branches is None:
            raise context.refuse(path, "new step messages need branches")
        with context.at(path, {"period_until": ("period", "until")}):
            if row is not None and row.archived_at is not None:
                raise context.refuse((*path, "name"), "these step messages are archived")
            before = None if row is None else (row.version, row.live_version)
            if row is None:
                row = actions.create_sequence(
                    name, staff=context.staff, now=context.now, wall=context.wall
                )
            _load_definition(row.id, part, path, context)
            _load_settings(row.id, part, context)
            after = actions.get(row.id)
            context.report.note(
                "sequence",
                name,
                created=before is None,
                changed=before != (after.version, after.live_version),
            )


def dump_sequences() -> list[dict[str, Any]]:
    """Every sequence as new friends get it; one that was never published as it is drafted."""
    rows = Sequence.select().where(Sequence.archived_at.is_null())
    return [_dumped(row) for row in sorted(rows, key=lambda row: row.name)]


def _load_definition(sequence_id: int, part: SequencePart, path: Path, context: Context) -> None:
    row = actions.get(sequence_id)
    now = dump(_present(row))
    trigger = part.trigger
    wanted = {
        **{key: now[key] for key in ("decide", "stop", "stop_bought") if key in now},
        **{key: getattr(part, key) for key in ("decide", "stop", "stop_bought") if part.given(key)},
        "trigger": (
            now["trigger"]
            if trigger is None
            else trigger.model_dump(by_alias=True, exclude_unset=True)
        ),
        "branches": (
            now["branches"]
            if part.branches is None
            else [
                branch.model_dump(by_alias=True, exclude_none=True, exclude_unset=True)
                for branch in part.branches
            ]
        ),
    }
    definition = _read(wanted, path, context)
    unfinished = part.draft or (
        not part.enabled and not row.enabled and _lacks_messages(definition)
    )
    if not part.draft:
        _refuse_problems(definition, part, path, context, may_lack_messages=unfinished)
    if dump(definition) != now or (row.live_version is None and not unfinished):
        drafts.save_draft(
            sequence_id,
            dump(definition),
            version=None,
            staff=context.staff,
            wall=context.wall,
        )
        if not unfinished:
            actions.publish(
                sequence_id,
                version=None,
                staff=context.staff,
                now=context.now,
                wall=context.wall,
                public_url=context.public_url,
            )


def _load_settings(sequence_id: int, part: SequencePart, context: Context) -> None:
    row = actions.get(sequence_id)
    period = (row.period_from, row.period_until)
    if part.given("period"):
        period = (None, None) if part.period is None else (part.period.from_, part.period.until)
    actions.change_settings(
        sequence_id,
        name=row.name,
        period_from=period[0],
        period_until=period[1],
        priority=part.priority,
        when_off=part.when_off,
        when_over=part.when_over,
        version=None,
        staff=context.staff,
        wall=context.wall,
    )
    if part.enabled is True and not row.enabled:
        actions.enable(sequence_id, staff=context.staff, wall=context.wall, now=context.now)
    elif part.enabled is False:
        actions.disable(sequence_id, staff=context.staff, wall=context.wall)


def _present(row: Sequence) -> Definition:
    """What is live; before anything was published, the draft."""
    if row.live_version is not None:
        return actions.live_definition(row)
    return actions.definition_of(row)


def _read(wanted: dict[str, Any], path: Path, context: Context) -> Definition:
    try:
        return parse(wanted)
    except DefinitionError as error:
        raise context.refuse((*path, *error.path), str(error)) from None


def _refuse_problems(
    definition: Definition,
    part: SequencePart,
    path: Path,
    context: Context,
    *,
    may_lack_messages: bool,
) -> None:
    for number, branch in enumerate(part.branches or []):
        for index, step in enumerate(branch.steps):
            place = (*path, "branches", number, "steps", index, "messages")
            if step.messages or not may_lack_messages:
                context.check_messages(place, step.messages)
    for problem in problems(definition, now=context.now, public_url=context.public_url):
        if may_lack_messages and problem.step is not None:
            branch_number, step_number = problem.step
            if not definition.branches[branch_number].steps[step_number].messages:
                continue
        raise context.refuse((*path, *problem.path), problem.sentence)


def _lacks_messages(definition: Definition) -> bool:
    return any(not step.messages for branch in definition.branches for step in branch.steps)


def _dumped(row: Sequence) -> dict[str, Any]:
    item: dict[str, Any] = {"name": row.name, "enabled": row.enabled}
    if row.live_version is None:
        item["draft"] = True  # nobody has published it: it may be half done
    period = {}
    if row.period_from is not None:
        period["from"] = row.period_from.isoformat()
    if row.period_until is not None:
        period["until"] = row.period_until.isoformat()
    item["period"] = period or None
    item |= {"priority": row.priority, "when_off": row.when_off, "when_over": row.when_over}
    definition = _present(row)
    written = dump(definition)
    return {
        **item,
        "trigger": written["trigger"],
        "decide": definition.decide,
        "stop": definition.stop,
        "stop_bought": definition.stop_bought,
        "branches": written["branches"],
    }
