"""Seven ready-made templates, one for each thing shops write most about. They speak to friends, so
they are written in the friends' language and not in that of the staff."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

STARTERS: Sequence[tuple[str, list[dict[str, Any]]]] = (
    (
        "網購優惠",
        [
            {"text": "{name}，這週末限定 🛒\n全館滿 1,000 元免運，賣完為止。"},
            {
                "quick_replies": [
                    {"label": "看熱賣商品", "text": "熱賣商品"},
                    {"label": "查訂單", "text": "查訂單"},
                ]
            },
        ],
    ),
    (
        "商家消息",
        [
            {"text": "📣 公告\n10 月起營業時間改為 11:00–20:00，每週一公休。"},
            {"quick_replies": [{"label": "看營業時間", "text": "營業時間"}]},
        ],
    ),
    (
        "到店優惠",
        [
            {"text": "{name}，路過就進來坐坐 ☕\n出示這則訊息，飲料第二杯半價。"},
            {
                "quick_replies": [
                    {"label": "離我最近的門市", "ask": "location"},
                    {"label": "今天有位子嗎？", "text": "今天有位子嗎"},
                ]
            },
        ],
    ),
    (
        "活動邀請",
        [
            {"text": "🎉 {name}，我們要辦活動了！\n時間：11/28（六）14:00\n名額 20 位，報名從速。"},
            {
                "quick_replies": [
                    {"label": "我要報名", "postback": "event=join"},
                    {"label": "這次不行", "postback": "event=skip"},
                ]
            },
        ],
    ),
    (
        "會員通知",
        [
            {"text": "{name|會員}您好，您的點數快到期了 ⏰\n到 12/31 前都可以折抵。"},
            {"quick_replies": [{"label": "查點數", "text": "查點數"}]},
        ],
    ),
    (
        "新片提醒",
        [
            {"text": "🎬 這週五上映！\n{name}，你想看的那部要來了。"},
            {
                "quick_replies": [
                    {"label": "提醒我買票", "postback": "film=remind"},
                    {"label": "看場次", "text": "場次"},
                ]
            },
        ],
    ),
    (
        "募資進度",
        [
            {"text": "謝謝 {name|大家} 🙏\n募資已達 80%，只剩最後 5 天。"},
            {"text": "達標後第一批 12 月出貨，早鳥價到這週日為止。"},
            {"quick_replies": [{"label": "看方案", "text": "方案"}]},
        ],
    ),
)
