"""Every table of the house, in the order they can be created; for migrations and tests."""

from __future__ import annotations

from peewee import Model

from lineadmin.audiences.models import LineAudience
from lineadmin.broadcasts.models import Broadcast, BroadcastSnapshot, LineInsight, Narrowcast
from lineadmin.clock import ClockOffset
from lineadmin.coupons.models import (
    Coupon,
    CouponDay,
    CouponIssue,
    GuessCount,
    PartnerCode,
    Redemption,
    RedemptionTry,
)
from lineadmin.friends.models import (
    Branch,
    Field,
    Friend,
    FriendField,
    FriendImport,
    FriendPlace,
    FriendTag,
    Source,
    Tag,
)
from lineadmin.inbox.models import InboundEvent, InboundMessage
from lineadmin.journal.models import Fact
from lineadmin.line_coupons.models import LineCoupon
from lineadmin.lottery.models import Lottery, LotteryDraw, LotteryPrize
from lineadmin.members.models import Member, MemberClaim, PointEntry, PointLot
from lineadmin.messages.models import Film, MessageTemplate, PictureSize, Upload
from lineadmin.outbox.models import Content, Delivery, QuotaMonth, Reply, Shipment
from lineadmin.purchases.models import (
    ChangeRequest,
    Purchase,
    PurchaseCategory,
    PurchaseLine,
)
from lineadmin.reminders.models import CouponReminder
from lineadmin.replies.models import ReplyRule
from lineadmin.segments.models import Segment, TagJob, TagJobPart, TagRule
from lineadmin.sequences.models import (
    DraftState,
    Enlistment,
    Enrolment,
    Sequence,
    SequenceVersion,
    VersionMove,
)
from lineadmin.settings.models import Heartbeat, Setting
from lineadmin.staff.models import Audit, LinkCode, SignInAttempt, Staff, StaffSession
from lineadmin.surveys.models import (
    Survey,
    SurveyAnswer,
    SurveyOpening,
    SurveyReply,
    SurveyRevision,
    SurveySending,
)
from lineadmin.topics.models import Consent, Subscription, Topic, TopicAsk, TopicWording
from lineadmin.tracking.models import AggregationUnit, EntryVisit, LinkClick, TrackedLink

MODELS: tuple[type[Model], ...] = (
    ClockOffset,
    Staff,
    StaffSession,
    SignInAttempt,
    LinkCode,
    Audit,
    Fact,
    Setting,
    Heartbeat,
    Source,
    Branch,
    Friend,
    FriendPlace,
    Tag,
    FriendTag,
    Field,
    FriendField,
    FriendImport,
    Content,
    Shipment,
    Delivery,
    Reply,
    QuotaMonth,
    Coupon,
    CouponIssue,
    PartnerCode,
    CouponDay,
    Redemption,
    RedemptionTry,
    GuessCount,
    CouponReminder,
    TrackedLink,
    LinkClick,
    EntryVisit,
    AggregationUnit,
    PurchaseCategory,
    Purchase,
    PurchaseLine,
    ChangeRequest,
    LineCoupon,
    LineAudience,
    Lottery,
    LotteryPrize,
    LotteryDraw,
    Member,
    MemberClaim,
    PointEntry,
    PointLot,
    Topic,
    TopicWording,
    Consent,
    Subscription,
    TopicAsk,
    Survey,
    SurveyRevision,
    SurveySending,
    SurveyOpening,
    SurveyAnswer,
    SurveyReply,
    Segment,
    TagRule,
    TagJob,
    TagJobPart,
    Upload,
    PictureSize,
    Film,
    MessageTemplate,
    Broadcast,
    BroadcastSnapshot,
    LineInsight,
    Narrowcast,
    Sequence,
    DraftState,
    SequenceVersion,
    Enrolment,
    Enlistment,
    VersionMove,
    ReplyRule,
    InboundEvent,
    InboundMessage,
)
