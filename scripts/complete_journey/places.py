"""The organisation: regions, stores in real cities, and their guides; all of it synthetic."""

from __future__ import annotations

from datetime import date, timedelta

from scripts.complete_journey.draws import draw, pick, words
from scripts.complete_journey.people import GENDERS, person_name
from scripts.complete_journey.records import (
    City,
    GuideRecord,
    OpeningHours,
    Region,
    StoreFormat,
    StoreRecord,
)

REGIONS = (
    Region("hq", "总部", "HQ"),
    Region("east", "华东大区", "REGION"),
    Region("north", "华北大区", "REGION"),
    Region("south", "华南大区", "REGION"),
    Region("central", "华中代理", "AGENT"),
    Region("southwest", "西南代理", "AGENT"),
)
CITIES = (
    City("上海市", "east", 31.2304, 121.4737),
    City("杭州市", "east", 30.2741, 120.1551),
    City("南京市", "east", 32.0603, 118.7969),
    City("苏州市", "east", 31.2990, 120.5853),
    City("宁波市", "east", 29.8683, 121.5440),
    City("北京市", "north", 39.9042, 116.4074),
    City("天津市", "north", 39.1256, 117.1904),
    City("济南市", "north", 36.6512, 117.1201),
    City("石家庄市", "north", 38.0428, 114.5149),
    City("广州市", "south", 23.1291, 113.2644),
    City("深圳市", "south", 22.5700, 114.0579),
    City("厦门市", "south", 24.5300, 118.1200),
    City("佛山市", "south", 23.0215, 113.1214),
    City("武汉市", "central", 30.5928, 114.3055),
    City("长沙市", "central", 28.2282, 112.9388),
    City("郑州市", "central", 34.7466, 113.6254),
    City("合肥市", "central", 31.8206, 117.2272),
    City("成都市", "southwest", 30.5728, 104.0668),
    City("重庆市", "southwest", 29.5630, 106.5516),
    City("昆明市", "southwest", 24.8801, 102.8329),
    City("贵阳市", "southwest", 26.6470, 106.6302),
)
CITY_HALF_SIDE = 0.06  # degrees of latitude and longitude on each side of the city's centre

ROADS = words("""
    临江路 人民路 解放路 建设路 中山路 和平路 文化路 新华路 长江路 黄河路 学府路 科技路 花园路
    滨河路 湖滨路 望湖路 青年路 体育路 车站路 朝阳路 迎宾路 光明路 翠竹路 梅园路 桂花路 银杏路
    海棠路 芙蓉路 枫林路 丰收路 永安路 长乐路 景明路 云溪路 松涛路 月湖路 清波路 锦绣路 东风路
""")

FORMATS: tuple[StoreFormat, ...] = (
    "STREET",
    "STREET",
    "MALL",
    "COMMUNITY",
    "COMMUNITY",
    "TRANSPORT",
)
WEEKDAY_AND_WEEKEND_HOURS: dict[StoreFormat, tuple[tuple[str, str], tuple[str, str]]] = {
    "STREET": (("09:00", "21:30"), ("09:00", "22:00")),
    "MALL": (("10:00", "22:00"), ("10:00", "22:30")),
    "COMMUNITY": (("07:30", "21:00"), ("08:00", "21:30")),
    "TRANSPORT": (("06:30", "22:30"), ("06:30", "22:30")),
}
FIRST_OPENING = date(2010, 1, 1)


def store_record(store_id: int) -> StoreRecord:
    city = city_of(store_id)
    road = pick(ROADS, "road", store_id)
    format_ = pick(FORMATS, "format", store_id)
    weekday, weekend = WEEKDAY_AND_WEEKEND_HOURS[format_]
    return StoreRecord(
        store_id=store_id,
        code=f"S{store_id:05d}",
        name=f"{road}店·{store_id}",
        region_key=city.region_key,
        city=city.name,
        address=f"{city.name}{road}{1 + draw(300, 'house', store_id)}号",
        latitude=near(city.latitude, "latitude", store_id),
        longitude=near(city.longitude, "longitude", store_id),
        format=format_,
        opened_on=FIRST_OPENING + timedelta(days=draw(2_500, "opened", store_id)),
        hours=tuple(OpeningHours(day, *(weekday if day < 6 else weekend)) for day in range(1, 8)),
    )


def city_of(store_id: int) -> City:
    return pick(CITIES, "city", store_id)


def near(centre: float, what: str, store_id: int) -> float:
    steps = 10_000
    return round(centre + CITY_HALF_SIDE * (draw(2 * steps + 1, what, store_id) / steps - 1), 6)


def guide_record(store_id: int, number: int) -> GuideRecord:
    gender = pick(GENDERS, "guide gender", store_id, number)
    return GuideRecord(
        key=guide_key(store_id, number),
        store_id=store_id,
        name=person_name(gender, "guide", store_id, number),
        wecom_user_id=f"demo-guide-{store_id:05d}-{number}",
    )


def guide_key(store_id: int, number: int) -> str:
    return f"G{store_id:05d}-{number}"
