"""LINE's numbers, each written once.

The letters name the page a number was read from, as it stood on 2026-08-07:

REF    https://developers.line.biz/en/reference/messaging-api/
DOC    https://developers.line.biz/en/docs/messaging-api/
LINE may change them without notice; a message that breaks one is refused with 400.
"""

from __future__ import annotations

from datetime import timedelta

# Requests --------------------------------------------------------------------------------------
REQUEST_BODY_BYTES = 2 * 1024 * 1024  # REF#status-codes: 413 above it
MULTICAST_RECIPIENTS = 500  # REF#send-multicast-message
MESSAGES_PER_REQUEST = 5  # REF#send-push-message, the same for every way of sending
FOLLOWERS_PER_PAGE = 1000  # REF#get-follower-ids

# Times -----------------------------------------------------------------------------------------
REPLY_TOKEN_LIFE = timedelta(minutes=1)  # REF#send-reply-message-reply-token: from its receipt
REPLY_TOKEN_REDELIVERED_LIFE = timedelta(minutes=20)  # same: from the event itself
RETRY_KEY_LIFE = timedelta(hours=24)  # REF#retry-api-request: afterwards it would send again
WEBHOOK_ANSWER = timedelta(seconds=2)  # DOC partner-docs/development-guidelines
STATELESS_TOKEN_LIFE = timedelta(minutes=15)  # REF#issue-stateless-channel-access-token

# Rates per second and endpoint (REF#rate-limits) --------------------------------------------------
PUSH_PER_SECOND = 2000
REPLY_PER_SECOND = 2000
MULTICAST_PER_SECOND = 200
OTHERS_PER_SECOND = 2000
LOADING_PER_SECOND = 100
WEBHOOK_TEST_PER_HOUR = 60
WEBHOOK_ENDPOINT_PER_MINUTE = 1000

# Texts -----------------------------------------------------------------------------------------
TEXT_UNITS = 5000  # REF#text-message, UTF-16 code units (DOC text-character-count)
ALT_TEXT_UNITS = 1500  # REF#flex-message, UTF-16 code units
LABEL_QUICK_REPLY_GRAPHEMES = 20  # REF#quick-reply, grapheme clusters as every label
LABEL_FLEX_BUTTON_GRAPHEMES = 40  # REF#button
MESSAGE_ACTION_GRAPHEMES = 300  # REF#message-action
POSTBACK_DATA_UNITS = 300  # REF#postback-action
POSTBACK_DISPLAY_GRAPHEMES = 300  # REF#postback-action
ACTION_URI_UNITS = 1000  # REF#uri-action
ACTION_URI_SCHEMES = ("http", "https", "line", "tel")  # REF#uri-action
MEDIA_URL_UNITS = 2000  # REF#image-message
WEBHOOK_URL_UNITS = 500  # REF#set-webhook-endpoint-url

# Messages --------------------------------------------------------------------------------------
QUICK_REPLIES = 13  # REF#quick-reply
IMAGE_BYTES = 10 * 1024 * 1024  # REF#image-message, originalContentUrl, JPEG or PNG
PREVIEW_BYTES = 1024 * 1024  # REF#image-message, previewImageUrl, JPEG or PNG
FLEX_BUBBLE_BYTES = 30 * 1024  # REF#f-bubble
FLEX_CAROUSEL_BYTES = 50 * 1024  # REF#f-carousel
FLEX_CAROUSEL_BUBBLES = 12  # REF#f-carousel
FLEX_IMAGE_PIXELS = 1024  # REF#f-image
IMAGEMAP_WIDTH = 1040  # REF#imagemap-message, baseSize.width
IMAGEMAP_WIDTHS = (240, 300, 460, 700, 1040)  # REF#base-url: what LINE asks for at baseUrl/<width>
IMAGEMAP_ACTIONS = 50  # REF#imagemap-message
IMAGEMAP_TEXT_UNITS = 400  # REF#imagemap-message-action-object
CLIPBOARD_UNITS = 1000  # REF#clipboard-action
VIDEO_BYTES = 200 * 1024 * 1024  # REF#video-message, mp4
STICKER_ID_DIGITS = 20  # no published limit; keeps nonsense out

# Identifiers -----------------------------------------------------------------------------------
AGGREGATION_UNITS_PER_MONTH = 1000  # REF#send-push-message: the 1,001st counts nothing
USER_ID_PATTERN = r"U[0-9a-f]{32}"  # DOC getting-user-ids
LOADING_SECONDS_LONGEST = 60  # REF#display-a-loading-indicator: 5 to 60 in steps of 5
LOADING_SECONDS_STEP = 5

# Audiences (REF#manage-audience-group) -----------------------------------------------------------
AUDIENCES = 1000
AUDIENCES_PER_PAGE = 40
AUDIENCE_IDS_PER_CALL = 10_000
AUDIENCE_NAME = 120
AUDIENCE_LIFE_DAYS = 180

# Coupons (REF#create-coupon) ---------------------------------------------------------------------
COUPONS_PER_PAGE = 100  # REF#get-coupons-list
COUPON_TITLE_UNITS = 60
COUPON_DESCRIPTION_UNITS = 1000
COUPON_USAGE_UNITS = 100
COUPON_CODE_UNITS = 16
COUPON_MOST_WINNERS = 999_999
COUPON_ZONES = (
    "ETC_GMT_MINUS_12",
    "ETC_GMT_MINUS_11",
    "PACIFIC_HONOLULU",
    "AMERICA_ANCHORAGE",
    "AMERICA_LOS_ANGELES",
    "AMERICA_PHOENIX",
    "AMERICA_CHICAGO",
    "AMERICA_NEW_YORK",
    "AMERICA_CARACAS",
    "AMERICA_SANTIAGO",
    "AMERICA_ST_JOHNS",
    "AMERICA_SAO_PAULO",
    "ETC_GMT_MINUS_2",
    "ATLANTIC_CAPE_VERDE",
    "EUROPE_LONDON",
    "EUROPE_PARIS",
    "EUROPE_ISTANBUL",
    "EUROPE_MOSCOW",
    "ASIA_TEHRAN",
    "ASIA_TBILISI",
    "ASIA_KABUL",
    "ASIA_TASHKENT",
    "ASIA_COLOMBO",
    "ASIA_KATHMANDU",
    "ASIA_ALMATY",
    "ASIA_RANGOON",
    "ASIA_BANGKOK",
    "ASIA_TAIPEI",
    "ASIA_TOKYO",
    "AUSTRALIA_DARWIN",
    "AUSTRALIA_SYDNEY",
    "ASIA_VLADIVOSTOK",
    "ETC_GMT_PLUS_12",
    "PACIFIC_TONGATAPU",
)
