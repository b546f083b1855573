"""What can happen to friends, in one place for the rooms above and the doors."""

from __future__ import annotations

from lineadmin.friends.attributes import edit_friend
from lineadmin.friends.consent import opt_in, opt_out
from lineadmin.friends.learn import (
    Follow,
    Known,
    follow,
    heard_from,
    learn,
    learn_friend,
    seen,
    unfollow,
)
from lineadmin.friends.sources import ensure_source, set_source
from lineadmin.friends.tags import (
    add_tag,
    add_tag_many,
    create_tag,
    delete_tag,
    edit_tag,
    ensure_tags,
    remove_tag,
    remove_tag_many,
)

__all__ = [
    "Follow",
    "Known",
    "add_tag",
    "add_tag_many",
    "create_tag",
    "delete_tag",
    "edit_friend",
    "edit_tag",
    "ensure_source",
    "ensure_tags",
    "follow",
    "heard_from",
    "learn",
    "learn_friend",
    "opt_in",
    "opt_out",
    "remove_tag",
    "remove_tag_many",
    "seen",
    "set_source",
    "unfollow",
]
