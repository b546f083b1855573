"""What the shop edits about itself, and the marks processes leave for each other."""

from lineadmin.settings.actions import clear, get, keep, mark, put, version_of
from lineadmin.settings.shop import ShopSettings, change_shop, shop, shop_zone

__all__ = [
    "ShopSettings",
    "change_shop",
    "clear",
    "get",
    "keep",
    "mark",
    "put",
    "shop",
    "shop_zone",
    "version_of",
]
