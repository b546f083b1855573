"""Answering a friend: free while LINE still takes a reply, else as a message that counts."""

from __future__ import annotations

from typing import Any

from flask import abort

from lineadmin.friends.models import Friend


def find_friend(friend_id: int) -> Friend:
    """The friend of an address; an unknown one is no page."""
    friend: Friend | None = Friend.get_or_none(Friend.id == friend_id)
    if friend is None:
        abort(404)
    return friend


class FriendAnswer:
    """The answer box of a friend's page."""

    render: Any
    get_url: Any
    may: Any

    def answer_box(self, friend: Friend) -> dict[str, Any] | None:
        return None

    def _address(self, friend: Friend, **more: Any) -> str:
        return str(self.get_url(".page", friend_id=friend.id, **more))
