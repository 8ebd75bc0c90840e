"""What was taken for something milder, or for nothing: complex cysts, interstitial lungs, infectious eyes, nodes and breasts, each its own finding."""

import pytest

from tjapi.knowledge import service
from tjapi.knowledge.rules import Case, Known
from tjapi.result.service.alarming import alarms_of

pytestmark = pytest.mark.requirement("E3.4", "E5.1")

STARTER = service.read_starter()
EDITION = service.in_memory(STARTER)
OUTRANKS = {one.code: one.outranks for one in STARTER.findings}


@pytest.mark.parametrize(
    ("item", "text", "finding", "not_shown", "alarms"),
    [
        ("US-KIDNEY", "左肾囊肿,Bosniak III级", "RENAL-CYST-COMPLEX", "RENAL-CYST", True), ("US-KIDNEY", "右肾囊性占位,BosniakⅣ级", "RENAL-CYST-COMPLEX", "RENAL-CYST", True),
        ("US-KIDNEY", "左肾囊肿,Bosniak分级:Ⅲ级", "RENAL-CYST-COMPLEX", "RENAL-CYST", True), ("US-KIDNEY", "左肾囊肿,Bosniak IIF", "RENAL-CYST-COMPLEX", "RENAL-CYST", False),
        ("US-KIDNEY", "左肾复杂囊肿35mm", "RENAL-CYST-COMPLEX", "RENAL-CYST", False), ("US-KIDNEY", "右肾囊肿,囊壁增厚,多分隔", "RENAL-CYST-COMPLEX", "GB-WALL", False),
        ("US-KIDNEY", "双肾多囊肾", "POLYCYSTIC-KIDNEY", "RENAL-CYST", False), ("US-KIDNEY", "左肾囊肿", "RENAL-CYST", "RENAL-CYST-COMPLEX", False),
        ("CT-CHEST", "双肺弥漫间质纤维化", "INTERSTITIAL-LUNG", "TB-OLD", False), ("CT-CHEST", "双肺间质性改变", "INTERSTITIAL-LUNG", "TB-OLD", False),
        ("CT-CHEST", "双下肺蜂窝肺", "INTERSTITIAL-LUNG", "LUNG-INFLAMMATION", False), ("CT-CHEST", "双下肺间质性肺炎", "INTERSTITIAL-LUNG", "LUNG-INFLAMMATION", False),
        ("CT-CHEST", "右肺上叶纤维灶", "TB-OLD", "INTERSTITIAL-LUNG", False), ("EYELID", "疑似流行性出血性结膜炎", "INFECTIOUS-CONJUNCTIVITIS", "PTERYGIUM", False),
        ("CT-HEAD", "左颞极蛛网膜囊肿", "ARACHNOID-CYST", "BRAIN-ATROPHY", False),
        ("US-BREAST", "右乳低回声结节25mm", "BREAST-NODULE", "BREAST-MASS", False), ("US-BREAST", "左乳结节,BI-RADS 5类", "BREAST-SUSPICIOUS", "BREAST-MASS", True),
        ("CT-CHEST", "纵隔淋巴结肿大,短径22mm", "DEEP-NODE", "LYMPH-NODE", True), ("CT-CHEST", "纵隔淋巴结肿大,短径12mm", "DEEP-NODE", "LYMPH-NODE", False),
        ("US-GB", "囊壁增厚", "GB-WALL", "RENAL-CYST-COMPLEX", False),
    ],
)  # fmt: skip
def test_it_is_its_own_finding(item: str, text: str, finding: str, not_shown: str, alarms: bool) -> None:
    case = Case("female", 45, {item: Known(item, item, text)})
    fired = {one.rule.finding.code for one in EDITION.fired("finding", case) if one.rule.finding is not None}
    outranked = {lower for code in fired for lower in OUTRANKS[code]}
    assert finding in fired
    assert not_shown not in fired - outranked
    assert bool(alarms_of(EDITION, case)) is alarms


def test_a_node_that_lost_its_layers_alarms() -> None:
    case = Case("female", 45, {"US-BREAST": Known("US-BREAST", "US-BREAST", "右腋下淋巴结皮髓质分界不清")})
    assert alarms_of(EDITION, case)
