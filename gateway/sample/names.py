"""Invents names of places, firms and people from syllables of its own; whoever they remind of does not exist."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

PROVINCE = "云岭省"
CITY = "澜州市"


@dataclass(frozen=True, slots=True)
class District:
    """An invented district. Its region code belongs to a real one: validators look the code up."""

    name: str
    code: str


DISTRICTS = (
    District("汐桥区", "330102"),
    District("砚山区", "330105"),
    District("禾渡区", "330106"),
    District("岑江县", "330122"),
    District("筠溪县", "330127"),
)

# Where citizen numbers begin: region codes that were never retired, since validators look at the year of birth too.
ORIGINS = np.array(["330122", "330127", "340121", "340421", "340621", "350121", "360121"])


@dataclass(frozen=True, slots=True)
class Authority:
    """An invented public body; its code is made like every other code here."""

    name: str
    serial: int


MARKET = Authority(f"{CITY}市场监督管理局", 900001)
APPROVAL = Authority(f"{CITY}行政审批局", 900002)
ENFORCEMENT = Authority(f"{CITY}综合行政执法局", 900003)
TAXATION = Authority(f"{CITY}税务局", 900004)
COURT = Authority(f"{CITY}中级人民法院", 900005)
CREDIT = Authority(f"{CITY}社会信用工作办公室", 900006)

_FIRST = np.array(list("澜汐砚禾岑筠霁珩昱栎槿沅湛翎皓缙芮蔚钧铎"))
_SECOND = np.array(list("朔屿棠弈珂麓渊榆澄谧韶颢烁琮楷栩溯霖瑾翊"))
_THIRD = np.array(list("川岚墨野舟衡磬隅阡陌垣嵩珏笙筱") + [""] * 5)
_TRADES = np.array(
    (
        "机械 纺织 建材 食品 物流 电子科技 环保科技 农业开发 商贸 建筑工程 医疗器械 文化传媒 "
        "餐饮管理 新材料 化工 信息技术 园林绿化 包装 仪表 水产"
    ).split()
)
_STALLS = np.array("小吃店 便利店 理发店 五金店 服装店 维修部 茶叶店 水果摊".split())
_SURNAMES = np.array("赵 钱 孙 李 周 吴 郑 王 冯 陈 沈 韩 朱 秦 许 何 吕 施 欧阳 司马".split())
_ROADS = np.array("霁月路 栎木街 沅水大道 翎羽巷 珩山路 槿花街 铎声路 缙云里 湛清路 昱光大道".split())
_ENDINGS = {
    "12": "服务中心",
    "51": "行业协会",
    "52": "职业培训学校",
    "81": "工会委员会",
    "93": "农民专业合作社",
    "N1": "村经济合作社",
}


def pick(rng: Generator, choices: NDArray[np.str_], size: int) -> NDArray[np.str_]:
    """Draws `size` of the choices, with return."""
    return choices[rng.integers(0, len(choices), size)]


def brands(rng: Generator, size: int) -> list[str]:
    """Two or three syllables each; they may repeat."""
    parts = (pick(rng, pool, size) for pool in (_FIRST, _SECOND, _THIRD))
    return ["".join(syllables) for syllables in zip(*parts, strict=True)]


def people(rng: Generator, size: int) -> list[str]:
    """Family name and one or two given syllables."""
    parts = (pick(rng, pool, size) for pool in (_SURNAMES, _SECOND, _THIRD))
    return ["".join(syllables) for syllables in zip(*parts, strict=True)]


def firm(prefix: str, brand: str, trade: str) -> str:
    """A firm's full name as its kind of registration writes it."""
    ending = _ENDINGS.get(prefix, trade if prefix == "92" else f"{trade}有限公司")
    return f"{CITY}{brand}{ending}"


def trades(rng: Generator, prefixes: NDArray[np.str_]) -> NDArray[np.str_]:
    """What each firm deals in: a stall for a sole trader, a trade for the rest."""
    size = len(prefixes)
    return np.where(prefixes == "92", pick(rng, _STALLS, size), pick(rng, _TRADES, size))


def addresses(rng: Generator, districts: NDArray[np.int64]) -> list[str]:
    """A road and a number in each district."""
    roads, numbers = pick(rng, _ROADS, len(districts)), rng.integers(1, 999, len(districts))
    return [
        f"{CITY}{DISTRICTS[d].name}{road}{number}号" for d, road, number in zip(districts, roads, numbers, strict=True)
    ]
