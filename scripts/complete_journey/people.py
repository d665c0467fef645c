"""Names, phones, birthdays, occupations and consents: all of it synthetic."""

from __future__ import annotations

import calendar
from datetime import UTC, date, datetime, timedelta

from scripts.complete_journey.draws import draw, pick, words
from scripts.complete_journey.records import Consent, Gender, SourceChannel

SURNAMES = (
    "王李张刘陈杨黄赵周吴徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董潘袁蔡蒋余于杜叶程"
    "魏苏吕丁任卢姚沈钟姜崔谭陆范汪廖石金韦贾夏付方邹熊白孟秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝"
)
GIVEN: dict[Gender, str] = {
    "FEMALE": "静敏丽娟艳芳娜秀霞燕玲桂兰英婷雪慧颖琳佳怡欣悦梦瑶雅琪雯倩莹洁萍岚月蓉菲璐诗涵妍彤",
    "MALE": "伟强磊军洋勇杰涛超明刚平辉鹏华飞鑫波斌宇浩凯健俊帆帅旭宁林晨轩博文昊天睿泽铭航志远嘉",
}
NICKNAME_WORDS = words("""
    小满 初夏 晴天 阿茶 豆浆 橘子 云朵 青柠 麦穗 山风 桃子 米粒 星河 半糖 芝麻 南瓜 清风 年糕 汤圆
""")
GENDERS: tuple[Gender, ...] = ("FEMALE", "FEMALE", "MALE")
SOURCE_CHANNELS: tuple[SourceChannel, ...] = ("STORE", "STORE", "STORE", "MINI_PROGRAM")

OCCUPATIONS = words("公司职员 教师 医护人员 公务员 个体经营 工程师 自由职业 全职家长 服务业 制造业")
OCCUPATIONS_BY_AGE = {"19-24": words("学生 学生 公司职员 服务业 制造业"), "65+": ["退休"]}
DEMOGRAPHICS_YEAR = 2017
OLDEST = 79

CONSENT_PERCENT = (
    ("SERVICE", "SUBSCRIPTION_MESSAGE", 100),
    ("MARKETING", "WECOM", 78),
    ("MARKETING", "SUBSCRIPTION_MESSAGE", 62),
    ("MARKETING", "SMS", 45),
    ("MARKETING", "PHONE", 12),
)
SECOND_CONSENT_TEXT_FROM = datetime(2017, 7, 1, tzinfo=UTC)


def person_name(gender: Gender, *who: str | int) -> str:
    length = 1 if draw(4, "name length", *who) == 0 else 2
    given = (pick(GIVEN[gender], "given", place, *who) for place in range(length))
    return pick(SURNAMES, "surname", *who) + "".join(given)


def birth_year(age_band: str, household_id: int) -> int:
    youngest, _, oldest = age_band.removesuffix("+").partition("-")
    ages = range(int(youngest), int(oldest or OLDEST) + 1)
    return DEMOGRAPHICS_YEAR - pick(ages, "age", household_id)


def birthday(household_id: int, birth_year: int | None) -> str:
    leap_year = 2000
    day = date(leap_year, 1, 1) + timedelta(days=draw(366, "birthday", household_id))
    if (day.month, day.day) == (2, 29) and birth_year and not calendar.isleap(birth_year):
        return "02-28"
    return f"{day:%m-%d}"


def occupation(age_band: str, household_id: int) -> str:
    return pick(OCCUPATIONS_BY_AGE.get(age_band, OCCUPATIONS), "occupation", household_id)


def phone(household_id: int) -> str:
    # The factor has no divisor in common with 10, so no two ids share a number.
    return f"+8612{(household_id * 387_420_489 + 104_729_011) % 10**9:09d}"


def consents(household_id: int, joined_at: datetime) -> tuple[Consent, ...]:
    text_version = "v2" if joined_at >= SECOND_CONSENT_TEXT_FROM else "v1"
    return tuple(
        Consent(purpose, channel, text_version, joined_at)
        for purpose, channel, percent in CONSENT_PERCENT
        if draw(100, "consent", purpose, channel, household_id) < percent
    )
