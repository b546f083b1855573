from hypothesis import given
from hypothesis import strategies as st

from lineadmin.coupons.models import Coupon, CouponIssue
from lineadmin.messages.preview import preview
from lineadmin.messages.stickers import PACKS
from tests.conftest import NOON


def seen(parts, **more):
    return preview(parts, **{"now": NOON, "public_url": "https://shop.example", **more})


def test_a_draft_is_shown_with_a_sample_name(db):
    assert seen([{"text": "歡迎 {name}！"}]).messages == [{"type": "text", "text": "歡迎 小明！"}]
    assert seen([{"text": "歡迎 {name}！"}], name=None).messages[0]["text"] == "歡迎 朋友！"


def test_a_coupon_is_shown_without_handing_one_out(db):
    Coupon.create(
        code="bento20",
        title="雙拼便當 8 折",
        benefit="percent",
        benefit_value=20,
        valid_days=7,
        created_at=NOON,
    )
    shown = seen([{"coupon": "bento20"}, {"coupon": "gone"}, {"image": "gone"}, {"text": ""}])
    assert [message["type"] for message in shown.messages] == ["flex", "text"]
    assert [problem.part_index for problem in shown.problems] == [1, 2, 3]
    assert CouponIssue.select().count() == 0
    assert shown.to_json()["problems"][0] == {
        "part": 1,
        "field": "coupon",
        "sentence": "沒有「gone」這張優惠券。",
    }


def test_what_cannot_be_read_is_a_problem_at_its_place(db):
    shown = seen([{"text": "a"}, {"sticker": {"package": "1"}}])
    assert shown.messages == []
    assert [problem.part_index for problem in shown.problems] == [1]
    assert seen("nonsense").problems[0].part_index is None


@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=6),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(st.sampled_from(["text", "label", "quick_replies", "x"]), inner)
        ),
        max_leaves=8,
    )
)
def test_no_draft_is_too_odd_to_be_shown(drafts):
    seen(drafts).to_json()


def test_every_sticker_of_the_picker_is_in_one_package():
    ids = [sticker for pack in PACKS for sticker in pack.sticker_ids]
    assert len(ids) == len(set(ids)) == 288
    assert {pack.package_id for pack in PACKS} == {
        *("11537", "11538", "11539", "8522", "6325", "446", "789", "1070")
    }
