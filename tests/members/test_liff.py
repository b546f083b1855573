"""With LIFF a friend's own pages are for her only: LINE says who is there."""

from __future__ import annotations

import pytest

from lineadmin.members.links import page_path, token_for
from tests.conftest import make_config
from tests.factories import make_friend

LOGIN_CHANNEL = "1234567890"


@pytest.fixture
def line_config(line, database_url, tmp_path):
    return make_config(
        database_url,
        tmp_path,
        LINE_API_BASE=line.base_url,
        LINE_DATA_API_BASE=line.base_url,
        LIFF_ID=f"{LOGIN_CHANNEL}-AbCdEfGh",
        LINE_LOGIN_CHANNEL_ID=LOGIN_CHANNEL,
    )


def test_line_says_whose_page_it_is_and_one_address_serves_everybody(line, app, clock):
    hana, taro = (
        make_friend(name, line_user_id=line.client.add_phone(name)["user_id"])
        for name in ("小花", "太郎")
    )
    address = page_path(hana.id, "coupons")

    def tab_of(friend):
        tab = app.test_client()
        token = line.client.id_token(friend.line_user_id, LOGIN_CHANNEL)
        assert tab.post("/c/identity", json={"id_token": token}).status_code == 200
        return tab

    unknown = app.test_client().get(address, follow_redirects=True)
    assert unknown.request.path == f"/e/me/{token_for(hana.id)}/coupons"
    assert f'data-back="{address}"' in unknown.text
    asked = app.test_client().get("/me/mine", follow_redirects=True)
    assert 'data-back="/me/mine"' in asked.text
    assert tab_of(taro).get(address).status_code == 403

    hers = tab_of(hana)
    assert hers.get(address).status_code == 200
    assert hers.get("/me/mine/coupons").location == address
    assert "小花" in hers.get("/me/mine", follow_redirects=True).text
    assert "小花" not in tab_of(taro).get("/me/mine", follow_redirects=True).text
