"""From due deliveries to frozen shipments: rendered, addressed and keyed before the first try.

One transaction per chunk. Whatever is issued while rendering (coupons), the quota that is taken,
the shipments and their deliveries are written together or not at all.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import uuid4

from lineadmin import settings
from lineadmin.db import atomic, dump_json, to_ms
from lineadmin.line.limits import MULTICAST_RECIPIENTS
from lineadmin.outbox import live, phase, quota, reasons, recheck
from lineadmin.outbox.live import Listed, insert_texts, one_of, queued, rows
from lineadmin.outbox.models import Content, Delivery, DeliveryState, Shipment, ShipmentState
from lineadmin.outbox.protocol import Addressee, Errand, Job, Prepare, Prepared, Programs
from lineadmin.outbox.recheck import Candidate, Group

# Rows per transaction. Equal content costs little; personal content is rendered one by one and
# issues coupons, and SQLite has only one writer.
EQUAL_CHUNK = 5 * MULTICAST_RECIPIENTS
PERSONAL_CHUNK = MULTICAST_RECIPIENTS

logger = logging.getLogger(__name__)

_FROZEN = (
    Shipment.origin_kind,
    Shipment.origin_id,
    Shipment.recipients,
    Shipment.state,
    Shipment.try_at,
    Shipment.created_at,
    Shipment.kind,
    Shipment.body,
    Shipment.retry_key,
    Shipment.quota_month,
)


@dataclass
class Packed:
    """What packing a chunk did. `moved` False: nothing of this group can move at present."""

    shipments: int = 0
    deliveries: int = 0
    skipped: int = 0
    short: bool = False  # the month's messages are used up
    reserve_only: bool = False  # … but for those kept from this kind of program

    @property
    def moved(self) -> bool:
        """Something changed, so another look may find more."""
        return bool(self.deliveries or self.skipped)


class _Parcel(NamedTuple):
    """A shipment to be: one body for one or more recipients of one program."""

    origin_id: int
    messages: str  # canonical JSON
    to: Sequence[Candidate]


def pack_chunk(
    group: Group,
    prepare: Prepare,
    programs: Programs,
    *,
    now: datetime,
    wall: datetime,
    try_at: datetime | None = None,
) -> Packed:
    """Pack the next due deliveries of one group, to be tried from `try_at` (default: `wall`) on."""
    with phase.at(phase.PACK), atomic():
        personal = _head_is_personal(group)
        limit = PERSONAL_CHUNK if personal else EQUAL_CHUNK
        candidates = recheck.take(group, limit, now)
        if not candidates:
            return Packed()
        done = Packed()
        fit = recheck.leave_out(candidates, now)
        fit = left_out_by_program(group, fit, programs, now)
        done.skipped = len(candidates) - len(fit)
        chosen = _without_remainder(fit, may_be_more=len(candidates) == limit, personal=personal)
        keep = quota.kept_from(group.kind, settings.shop())
        month, granted = quota.reserve(len(chosen), now=now, keep=keep)
        done.short = granted < len(chosen)
        if done.short:
            done.reserve_only = keep > 0 and quota.remaining(now) != 0
            programs.waits(group.kind, group.origin_id or 0, reasons.QUOTA, wall)
        parcels, skipped = _fill(chosen[:granted], group.kind, prepare, now)
        done.skipped += skipped
        done.deliveries = sum(len(parcel.to) for parcel in parcels)
        done.shipments = len(parcels)
        quota.release(month, granted - done.deliveries)
        _freeze(group, parcels, programs, month, now, wall, try_at or wall)
        if done.deliveries and not done.short:
            programs.goes_on(group.kind, group.origin_id or 0, now)
        return done


def left_out_by_program(
    group: Group, candidates: list[Candidate], programs: Programs, now: datetime
) -> list[Candidate]:
    """Leave out whom the program itself does not want to get it any more; answers the others."""
    if group.origin_id is None or not candidates:
        return candidates
    runs = {one.friend_id: one.origin_run for one in candidates}
    found = programs.left_out(group.kind, group.origin_id, runs, now)
    if not found:
        return candidates
    out = [
        one._replace(reason=found.get(one.friend_id, "")) if one.friend_id in found else one
        for one in candidates
    ]
    return recheck.leave_out(out, now)


def _head_is_personal(group: Group) -> bool:
    if group.origin_id is None:
        return True
    head = (
        Delivery.select(Content.personal)
        .join(Content)
        .where(
            queued()
            & (Delivery.origin_kind == int(group.kind))
            & (Delivery.origin_id == group.origin_id)
        )
        .order_by(Delivery.due_at, Delivery.id)
        .limit(1)
    )
    return any(personal for (personal,) in rows(head))


def _without_remainder(
    fit: list[Candidate], *, may_be_more: bool, personal: bool
) -> list[Candidate]:
    """Leave what would not fill a multicast to the next chunk, while there is one."""
    one_content = len({one.content_id for one in fit}) == 1
    if may_be_more and one_content and not personal and len(fit) >= MULTICAST_RECIPIENTS:
        return fit[: len(fit) // MULTICAST_RECIPIENTS * MULTICAST_RECIPIENTS]
    return fit


def _fill(
    chosen: list[Candidate], kind: int, prepare: Prepare, now: datetime
) -> tuple[list[_Parcel], int]:
    by_content: dict[int, list[Candidate]] = defaultdict(list)
    for one in chosen:
        by_content[one.content_id].append(one)
    contents = {row.id: row for row in Content.select().where(one_of(Content.id, by_content))}
    parcels: list[_Parcel] = []
    skipped = 0
    own: list[Candidate] = []
    for content_id, candidates in by_content.items():
        if contents[content_id].personal:
            own += candidates
            continue
        # Rendered for the first, sent to all of them.
        [prepared] = _prepared(_jobs(candidates[:1], contents, kind), prepare)
        if prepared.messages is None:
            recheck.skip(
                [one.id for one in candidates], prepared.skip_reason, now, detail=prepared.dropped
            )
            skipped += len(candidates)
        else:
            parcels += _parcels(dump_json(prepared.messages), candidates)
            _note_dropped([(one.id, prepared.dropped) for one in candidates if prepared.dropped])
    if own:
        filled, without = _fill_personal(own, contents, kind, prepare, now)
        parcels += filled
        skipped += without
    return parcels, skipped


def _fill_personal(
    candidates: list[Candidate],
    contents: dict[int, Content],
    kind: int,
    prepare: Prepare,
    now: datetime,
) -> tuple[list[_Parcel], int]:
    # What came out equal all the same (nobody's name is known) still shares a request.
    alike: dict[str, list[Candidate]] = defaultdict(list)
    dropped: list[tuple[int, str]] = []
    out: dict[tuple[str, str], list[int]] = defaultdict(list)
    results = _prepared(_jobs(candidates, contents, kind), prepare)
    for one, prepared in zip(candidates, results, strict=True):
        if prepared.messages is None:
            out[prepared.skip_reason, prepared.dropped].append(one.id)
        else:
            alike[dump_json(prepared.messages)].append(one)
            if prepared.dropped:
                dropped.append((one.id, prepared.dropped))
    for (reason, detail), ids in out.items():
        recheck.skip(ids, reason, now, detail=detail)
    _note_dropped(dropped)
    parcels = [parcel for messages, to in alike.items() for parcel in _parcels(messages, to)]
    return parcels, sum(len(ids) for ids in out.values())


def _prepared(jobs: list[Job], prepare: Prepare) -> Sequence[Prepared]:
    """All jobs prepared. Where one of many can't be, it alone is left out, with the error kept."""
    if len(jobs) == 1:
        return prepare(jobs)
    try:
        with atomic():
            return prepare(jobs)
    except Exception:
        logger.exception("preparing %s messages failed; trying them one by one", len(jobs))
    results: list[Prepared] = []
    failures: list[Exception] = []
    for job in jobs:
        try:
            with atomic():
                results += prepare([job])
        except Exception as error:
            failures.append(error)
            results.append(Prepared(None, reasons.NOT_PREPARED, repr(error)[:200]))
    if len(failures) == len(jobs):
        raise failures[0]
    return results


def _jobs(candidates: list[Candidate], contents: dict[int, Content], kind: int) -> list[Job]:
    return [
        Job(
            Errand(one.id, kind, one.origin_id, one.origin_run),
            Addressee(one.friend_id, one.line_user_id, one.display_name),
            contents[one.content_id],
        )
        for one in candidates
    ]


def _parcels(messages: str, to: list[Candidate]) -> list[_Parcel]:
    """Up to 500 recipients of the same program and the same words per request."""
    by_origin: dict[int, list[Candidate]] = defaultdict(list)
    for one in to:
        by_origin[one.origin_id].append(one)
    parcels = []
    for origin_id, members in by_origin.items():
        for recipients in _each_name_once(members):
            parcels += [
                _Parcel(origin_id, messages, recipients[start : start + MULTICAST_RECIPIENTS])
                for start in range(0, len(recipients), MULTICAST_RECIPIENTS)
            ]
    return parcels


def _each_name_once(members: list[Candidate]) -> list[list[Candidate]]:
    """Usually all of them at once; two equal messages of one program need two requests."""
    if len({one.line_user_id for one in members}) == len(members):
        return [members]
    once: dict[str, Candidate] = {}
    again = []
    for one in members:
        if one.line_user_id in once:
            again.append([one])
        else:
            once[one.line_user_id] = one
    return [list(once.values()), *again]


def _note_dropped(details: list[tuple[int, str]]) -> None:
    by_detail: dict[str, list[int]] = defaultdict(list)
    for delivery_id, detail in details:
        by_detail[detail].append(delivery_id)
    for detail, ids in by_detail.items():
        Delivery.update(detail=detail).where(one_of(Delivery.id, ids)).execute()


def _freeze(
    group: Group,
    parcels: list[_Parcel],
    programs: Programs,
    month: str,
    now: datetime,
    wall: datetime,
    try_at: datetime,
) -> None:
    """Write the shipments and tie their deliveries to them."""
    if not parcels:
        return
    units = {
        origin_id: programs.aggregation_unit(group.kind, origin_id, now)
        for origin_id in {parcel.origin_id for parcel in parcels}
    }
    keys = [str(uuid4()) for _ in parcels]
    ready = int(ShipmentState.READY)
    first, created = to_ms(try_at), to_ms(wall)
    inserted = insert_texts(
        Shipment,
        _FROZEN,
        [
            (
                (group.kind, parcel.origin_id, len(parcel.to), ready, first, created),
                (
                    "push" if len(parcel.to) == 1 else "multicast",
                    body_text(parcel.messages, parcel.to, units[parcel.origin_id]),
                    key,
                    month,
                ),
            )
            for key, parcel in zip(keys, parcels, strict=True)
        ],
        returning=(Shipment.retry_key, Shipment.id),
    )
    ids = dict(inserted)
    _tie(
        [
            (ids[key], [one.id for one in parcel.to])
            for key, parcel in zip(keys, parcels, strict=True)
        ]
    )


def _tie(bundles: list[tuple[int, list[int]]]) -> None:
    """Write each delivery's shipment.

    :raises RuntimeError: one of them is not queued any more, which the locks rule out
    """
    packed = int(DeliveryState.PACKED)
    changed = 0
    for shipment_id, ids in bundles:
        if len(ids) > 1:
            changed += live.changed(
                Delivery.update(state=packed, shipment=shipment_id).where(_within(ids) & queued())
            )
    alone = [(ids[0], shipment_id) for shipment_id, ids in bundles if len(ids) == 1]
    if alone:
        tied = Listed.pairs("tied", alone)
        changed += live.changed(
            Delivery.update(state=packed, shipment=tied.column(2))
            .from_(tied.source)
            .where((Delivery.id == tied.column(1)) & queued())
        )
    wanted = sum(len(ids) for _shipment_id, ids in bundles)
    if changed != wanted:
        raise RuntimeError(f"{wanted} deliveries were to be packed, {changed} were")


def _within(ids: list[int]) -> Any:
    low, high = min(ids), max(ids)
    # Planned one after the other: walking through them beats looking each up.
    if high - low == len(ids) - 1:
        return Delivery.id.between(low, high)
    return one_of(Delivery.id, ids)


def body_text(messages: str, to: Sequence[Any], unit: str | None) -> str:
    """The request's exact text. A push names its friend, a multicast lists them."""
    names = [one.line_user_id for one in to]
    address = dump_json(names if len(names) > 1 else names[0])
    counted = f'"customAggregationUnits":[{dump_json(unit)}],' if unit else ""
    return f'{{{counted}"messages":{messages},"to":{address}}}'
