"""What campaigns, their goals and members' parts in them are."""

from enum import StrEnum


class CampaignKind(StrEnum):
    """Five kinds (domain: §10): 活动营销, 节日营销, 服务营销, 生日营销, 场景营销."""

    PROMOTION = "PROMOTION"
    FESTIVAL = "FESTIVAL"
    SERVICE = "SERVICE"
    BIRTHDAY = "BIRTHDAY"
    SCENE = "SCENE"


class CampaignGrade(StrEnum):
    """How much of the chain's effort a campaign gets."""

    S = "S"
    A = "A"
    B = "B"
    C = "C"


class CampaignState(StrEnum):
    """Where a campaign stands (草稿, 待开始, 进行中, 已暂停, 已结束)."""

    DRAFT = "DRAFT"
    SCHEDULED = "SCHEDULED"
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    ENDED = "ENDED"


class ControlMode(StrEnum):
    """Whether stores carry a campaign out, or choose to (强管控, 弱管控)."""

    MANDATED = "MANDATED"
    OPT_IN = "OPT_IN"


class GoalMetric(StrEnum):
    """What a goal counts; SALES and AVERAGE_ORDER_VALUE are whole yuan."""

    PARTICIPANTS = "PARTICIPANTS"
    CONVERSIONS = "CONVERSIONS"
    NEW_MEMBERS = "NEW_MEMBERS"
    ORDERS = "ORDERS"
    SALES = "SALES"
    AVERAGE_ORDER_VALUE = "AVERAGE_ORDER_VALUE"
    REDEMPTIONS = "REDEMPTIONS"
    REPURCHASE_PERCENT = "REPURCHASE_PERCENT"


class PathStep(StrEnum):
    """A step of the journey that a campaign works on: of AARRR, or of the 5A path (domain: §12)."""

    ACQUISITION = "ACQUISITION"
    ACTIVATION = "ACTIVATION"
    RETENTION = "RETENTION"
    REVENUE = "REVENUE"
    REFERRAL = "REFERRAL"
    KNOW = "KNOW"
    LIKE = "LIKE"
    BELIEVE = "BELIEVE"
    BUY = "BUY"
    RECOMMEND = "RECOMMEND"


class CampaignChannel(StrEnum):
    """Through which a campaign meets members (domain: §11), and the store itself."""

    STORE = "STORE"
    MOMENTS = "MOMENTS"
    WECOM = "WECOM"
    COMMUNITY_GROUP = "COMMUNITY_GROUP"
    OFFICIAL_ACCOUNT = "OFFICIAL_ACCOUNT"
    PHONE = "PHONE"
    SMS = "SMS"
    AI_CALL = "AI_CALL"
    SUBSCRIPTION_MESSAGE = "SUBSCRIPTION_MESSAGE"


class BudgetPeriod(StrEnum):
    """A stretch of time that a part of a budget is for."""

    DAY = "DAY"
    WEEK = "WEEK"
    MONTH = "MONTH"


class ParticipationState(StrEnum):
    """How far a member came in a campaign; EXCLUDED stays out, such as a holdout."""

    INVITED = "INVITED"
    JOINED = "JOINED"
    CONVERTED = "CONVERTED"
    EXCLUDED = "EXCLUDED"
