"""The mark of exactly what was confirmed: every word, and whom it goes to by what condition."""

from __future__ import annotations

import hashlib
from typing import Any

from lineadmin.broadcasts.models import Broadcast
from lineadmin.db import dump_json
from lineadmin.segments.actions import segments_used_in
from lineadmin.segments.language import parse
from lineadmin.segments.models import Segment


def hash_of(row: Broadcast) -> str:
    """Moves with any change of message, audience, time or groups, and of a segment it goes to."""
    told: dict[str, Any] = {
        "parts": row.parts,
        "variants": row.variants,
        "audience": row.audience,
        "segments": _segments(row.audience),
        "at": None if row.at is None else row.at.isoformat(),
        "holdout": row.holdout_percent,
        "service": row.service,
        "wake": row.wake,
        "quiet": row.quiet_override,
    }
    if row.estimated is not None:
        told["estimated"] = row.estimated
    return hashlib.sha256(dump_json(told).encode()).hexdigest()


def _segments(audience: Any) -> dict[str, Any]:
    if audience is None:
        return {}
    names = segments_used_in(parse(audience))
    rows = Segment.select(Segment.name, Segment.tree).where(Segment.name.in_(sorted(names)))
    return {row.name: row.tree for row in rows} if names else {}
