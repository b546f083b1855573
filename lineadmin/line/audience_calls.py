"""LINE's audiences: made of user ids or of clicks, added to, listed and deleted.

Source: https://developers.line.biz/en/reference/messaging-api/#manage-audience-group (2026-08-07).
LINE never tells who is in one, and takes nobody out again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol
from urllib.parse import urlencode

from lineadmin.db import EPOCH
from lineadmin.line import limits
from lineadmin.line.answers import read_object, text, whole
from lineadmin.line.errors import LineRefused, LineUnclear

PATH = "/v2/bot/audienceGroup"
UNREADABLE = "LINE's answer could not be read"
UPLOAD, CLICK, IMPRESSION = "UPLOAD", "CLICK", "IMP"
NEVER_READY = ("FAILED", "EXPIRED", "INACTIVE")
UPLOAD_SECONDS = 40.0  # LINE wants at least 30


@dataclass(frozen=True)
class MadeAudience:
    """An audience LINE has just made."""

    id: int
    expires_at: datetime | None


@dataclass(frozen=True)
class Audience:
    """One audience in LINE's list. `members` is 0 where LINE hides fewer than 20."""

    id: int
    name: str
    kind: str  # UPLOAD, CLICK, IMP, …: an open set
    status: str
    failed_kind: str
    members: int | None
    created: int  # seconds
    may_change: bool


class _Asks(Protocol):
    def _request(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        read_seconds: float | None = None,
    ) -> tuple[int, Mapping[str, str], bytes]: ...

    def _get(self, path: str) -> tuple[dict[str, Any], str | None]: ...


class AudienceCalls:
    """Mixed into the gateway."""

    def create_audience(self: _Asks, name: str, user_ids: list[str]) -> MadeAudience:
        """Make one of these people; at most limits.AUDIENCE_IDS_PER_CALL. There is no retry key.

        :raises LineRefused: LINE would not take it; one impossible id is enough
        """
        body = _body({"description": name, "isIfaAudience": False}, user_ids)
        _status, headers, data = self._request(
            "POST", f"{PATH}/upload", body=body, read_seconds=UPLOAD_SECONDS
        )
        return _made(headers, data)

    def create_engaged_audience(
        self: _Asks, kind: str, name: str, request_id: str, click_url: str = ""
    ) -> MadeAudience:
        """Make one of who saw (IMP) or tapped (CLICK) a narrowcast of the last 60 days.

        :raises LineRefused: REQUEST_NOT_FOUND, too, while LINE is not ready shortly after sending
        """
        asked = {"description": name, "requestId": request_id}
        if click_url:
            asked["clickUrl"] = click_url
        path = {CLICK: "click", IMPRESSION: "imp"}[kind]
        body = json.dumps(asked, ensure_ascii=False).encode()
        _status, headers, data = self._request("POST", f"{PATH}/{path}", body=body)
        return _made(headers, data)

    def add_to_audience(self: _Asks, audience_id: int, user_ids: list[str]) -> None:
        """Add people to one; those who are in it already change nothing."""
        body = _body({"audienceGroupId": audience_id}, user_ids)
        self._request("PUT", f"{PATH}/upload", body=body, read_seconds=UPLOAD_SECONDS)

    def delete_audience(self: _Asks, audience_id: int) -> None:
        """Delete one for good.

        :raises LineRefused: 404, there is none
        """
        self._request("DELETE", f"{PATH}/{audience_id}")

    def audience_is_ready(self: _Asks, audience_id: int) -> bool:
        """Whether LINE has worked in everybody handed over, so that it can be used.

        :raises LineRefused: 404, there is none; or LINE could not make it
        """
        found, request_id = self._get(f"{PATH}/{audience_id}")
        group, jobs = found.get("audienceGroup"), found.get("jobs") or []
        if not isinstance(group, dict) or not isinstance(jobs, list):
            raise LineUnclear(200, request_id, UNREADABLE)
        states = [one.get("jobStatus") for one in jobs if isinstance(one, dict)]
        if group.get("status") in NEVER_READY or "FAILED" in states:
            raise LineRefused(400, request_id, text(group.get("failedType")) or "FAILED")
        return group.get("status") == "READY" and all(state == "FINISHED" for state in states)

    def audiences(self: _Asks, name: str = "") -> list[Audience]:
        """All of them, those made elsewhere too; with a name, those whose name has it within."""
        listed: list[Audience] = []
        for page in range(1, limits.AUDIENCES // limits.AUDIENCES_PER_PAGE + 26):
            asked = {"page": page, "size": limits.AUDIENCES_PER_PAGE}
            more = {"description": name} if name else {}
            found, request_id = self._get(f"{PATH}/list?{urlencode(asked | more)}")
            groups = found.get("audienceGroups")
            if not isinstance(groups, list):
                raise LineUnclear(200, request_id, UNREADABLE)
            listed += [one for one in map(_audience, groups) if one is not None]
            if found.get("hasNextPage") is not True:
                return listed
        raise LineUnclear(200, None, UNREADABLE)


def _made(headers: Mapping[str, str], data: bytes) -> MadeAudience:
    request_id = headers.get("x-line-request-id")
    found = read_object(data, request_id)
    audience_id = whole(found.get("audienceGroupId"))
    if audience_id is None:
        raise LineUnclear(200, request_id, UNREADABLE)
    ends = whole(found.get("expireTimestamp"))
    known = ends is not None and ends < 2**38
    return MadeAudience(audience_id, EPOCH + timedelta(seconds=ends or 0) if known else None)


def _body(more: dict[str, Any], user_ids: list[str]) -> bytes:
    audiences = [{"id": user_id} for user_id in user_ids]
    return json.dumps({**more, "audiences": audiences}, ensure_ascii=False).encode()


def _audience(group: Any) -> Audience | None:
    audience_id = whole(group.get("audienceGroupId")) if isinstance(group, dict) else None
    if audience_id is None:
        return None
    created = whole(group.get("created")) or 0
    return Audience(
        id=audience_id,
        name=text(group.get("description")),
        kind=text(group.get("type")),
        status=text(group.get("status")),
        failed_kind=text(group.get("failedType")),
        members=whole(group.get("audienceCount")),
        created=created if created < 2**38 else 0,
        may_change=group.get("permission") != "READ",
    )
