"""An exam of one person, and what somebody might write about it: false sentences, each refused or asked, and true ones, hardly ever asked."""

from dataclasses import replace
from uuid import UUID

from tests.tjapi.knowledge.test_own_words import CONTENT, ITEMS, known
from tjapi.conclusion.rules import calm_beside
from tjapi.knowledge.rules import Case, Known, evaluate
from tjapi.knowledge.schemas import ExampleIn
from tjapi.result.service import Truth

MAN = ExampleIn(sex="male", age_years=47, values={"SBP": "120"})
WOMAN = ExampleIn(sex="female", age_years=34, values={"SBP": "120"})

HIS = {
    "HEIGHT": "170", "WEIGHT": "66", "BMI": "22.8", "SBP": "158", "DBP": "98", "PULSE": "78", "WBC": "6.1", "RBC": "4.9", "HGB": "146", "HCT": "0.44",
    "MCV": "90", "PLT": "201", "ALT": "31", "AST": "24", "GGT": "88", "TBIL": "13.1", "ALB": "44", "TP": "71", "UREA": "5.1", "CREA": "80", "UA": "512",
    "GLU": "5.4", "TC": "6.1", "TG": "1.2", "HDL": "1.3", "LDL": "4.2", "K": "4.1", "NA": "140", "CL": "103", "CA": "2.31", "UPRO": "阴性", "UGLU": "阴性",
    "UBLD": "阴性", "ULEU": "阴性", "CEA": "2.4", "AFP": "3.0", "TPSA": "0.9", "HBSAG": "阴性", "HBSAB": "阳性", "HBEAG": "阴性", "HBEAB": "阴性", "HBCAB": "阴性",
    "ECG": "窦性心律不齐", "HISTORY": "高血压", "IOP-R": "15", "IOP-L": "26", "FUNDUS": "未见明显异常", "NOSE": "鼻中隔偏曲", "EAR": "未见异常",
    "US-LIVER": "肝脏形态大小正常，实质回声细密增强，提示脂肪肝（轻度）。肝左叶见无回声区，大小约14×11mm，提示肝囊肿。",
    "US-GB": "胆囊大小形态正常，壁光滑，腔内未见异常回声。", "US-PANC": "未见明显异常", "US-SPLEEN": "未见明显异常",
    "US-KIDNEY": "左肾集合系统见强回声，大小约6mm，后伴声影，提示左肾结石。右肾未见异常。",
    "US-THYROID": "甲状腺左叶见低回声结节，大小约9×6mm，边界清，C-TIRADS 3类。", "US-THYROID-TR": "TI-RADS 3类",
    "CT-CHEST": "左肺下叶见实性结节，直径约4mm。余双肺未见异常。", "CT-CHEST-LR": "2类", "US-PROSTATE": "前列腺大小约41×30×28mm，形态正常，回声均匀。",
}  # fmt: skip
HERS = {
    "HEIGHT": "163", "WEIGHT": "52", "BMI": "19.6", "SBP": "106", "DBP": "68", "PULSE": "72", "WBC": "5.6", "RBC": "3.7", "HGB": "98", "HCT": "0.31",
    "MCV": "74", "PLT": "260", "FERR": "5", "ALT": "14", "AST": "18", "GGT": "12", "TBIL": "9.0", "ALB": "43", "UREA": "4.0", "CREA": "55", "UA": "240",
    "GLU": "4.9", "TC": "4.4", "TG": "0.9", "HDL": "1.6", "LDL": "2.4", "TSH": "0.05", "FT3": "11.2", "FT4": "34.0", "HBSAG": "阳性", "HBSAB": "阴性",
    "HBEAG": "阳性", "HBEAB": "阴性", "HBCAB": "阳性", "HBVDNA": "31000", "UPRO": "阴性", "UGLU": "阴性", "UBLD": "阴性", "ULEU": "1+", "CEA": "0.8",
    "CA125": "12", "ECG": "窦性心动过速", "HISTORY": "无", "TCT": "ASC-US", "HPV": "阳性", "GYN-ADNEXA": "拒检", "BMD": "骨量减少", "BMD-T": "-1.4", "COLOR-V": "正常",
    "US-LIVER": "未见明显异常", "US-GB": "胆囊壁见等回声突起，大小约5mm，不随体位移动，提示胆囊息肉。",
    "US-BREAST": "右乳外下象限见低回声结节，大小约11×8mm，边界欠清，BI-RADS 4a类。左乳未见异常。", "US-BREAST-BR": "BI-RADS 4a类",
    "US-UTERUS": "子宫后壁见低回声结节，大小约21×18mm，提示子宫肌瘤。双附件区未见异常。", "CXR": "双肺纹理清晰，心膈未见异常。",
}  # fmt: skip
HIS_UNEXAMINED = ("HEARING-L", "HEARING-R", "US-HEART", "C14", "BMD", "ANUS")
HERS_UNEXAMINED = ("US-THYROID", "US-KIDNEY", "HEARING-L", "HEARING-R", "NOSE", "EAR", "FIBRO")

HIS_FALSE = """
重度脂肪肝
中度脂肪肝，请戒酒
肝硬化，请肝病科就诊
肝血管瘤，定期复查
胆囊结石，低脂饮食
胆囊息肉，半年复查
右肾结石
左肾结石16mm
左肾积水
双肾囊肿
肝囊肿4.1cm
甲状腺右叶结节
甲状腺左叶结节19×16mm
甲状腺结节TI-RADS 4a类
甲状腺功能亢进
左肺上叶肺大疱
右肺下叶结节
肺结核
双侧胸腔积液
前列腺增生，泌尿外科随诊
前列腺钙化
前列腺61×50×48mm
高血压3级
高血压2级
痛风性关节炎
痛风
糖尿病，请内分泌科就诊
2型糖尿病，控制饮食
冠心病，心内科随诊
消瘦
肥胖
低血糖
贫血
缺铁性贫血
巨幼细胞性贫血
右眼眼压升高
左眼眼压正常
眼压正常
双眼白内障
青光眼，请眼科就诊
糖尿病视网膜病变
鼻息肉
鼻窦炎
中耳炎
双耳听力正常
左耳听力正常
心脏彩超未见异常
碳14呼气试验阴性
碳14呼气试验阳性
骨密度正常
骨质疏松
肛门指诊正常
心电图：心房颤动
心电图：完全性右束支传导阻滞
乙肝五项均阴性
乙肝小三阳
乙肝表面抗体阴性
HBV-DNA<20IU/mL
尿白细胞3+，尿路感染
尿潜血2+
胃溃疡，消化科就诊
慢性胃炎
颈动脉斑块
腰椎间盘突出
肝功能正常
血脂正常
血压正常
双肾未见异常
甲状腺未见异常
肺部CT未见异常
颈椎未见异常
血沉正常
甲功正常
类风湿关节炎
CA199升高
同型半胱氨酸升高
D-二聚体阳性
幽门螺杆菌感染
肾功能不全
慢性肾病3期
中度贫血
肝癌
左肺癌
丙氨酸氨基转移酶异常
谷丙转氨酶异常
"""
HIS_TRUE = """
血压158/98mmHg，高血压，心内科随诊
高血压病史，今日血压158/98mmHg，控制不佳
血压升高，低盐饮食，监测血压
轻度脂肪肝，控制体重，低脂饮食
脂肪肝（轻度），戒酒，半年复查肝脏超声
肝囊肿14×11mm，每年复查
肝囊肿1.4cm，一般无需治疗
左肾结石6mm，多饮水，多运动
左肾结石（0.6cm），如出现腰痛、血尿请及时就诊
甲状腺左叶结节9×6mm，TI-RADS 3类，6～12个月复查
甲状腺结节，如增大至10mm以上请就诊
左肺下叶实性结节4mm，每年复查低剂量CT
肺结节4mm，随访
血尿酸512μmol/L，高尿酸血症，低嘌呤饮食
尿酸升高，警惕痛风发作
总胆固醇6.1mmol/L，低密度脂蛋白4.2mmol/L，高脂血症
血脂异常，低脂饮食
GGT 88U/L升高，建议戒酒后复查
GGT升高，余肝功能正常
肾功能正常
血糖正常
血常规正常
尿常规未见异常
心电图示窦性心律不齐，生理性，无需处理
左眼眼压26mmHg，偏高，请眼科就诊，除外青光眼
左眼眼压偏高，右眼正常
右眼眼压正常，左眼眼压升高
右眼眼压15mmHg，正常
鼻中隔偏曲，耳鼻喉科随诊
外耳道及鼓膜未见异常
胆囊未见异常
胰腺、脾脏未见异常
肝胆胰脾超声：脂肪肝、肝囊肿
前列腺未见异常
眼底未见异常
右肾未见异常
乙肝表面抗体阳性，提示有免疫力
乙肝表面抗原阴性
肿瘤标志物正常
PSA正常
CEA、AFP均正常
BMI 22.8，体重正常
父亲有糖尿病，建议每年查血糖
母亲患乳腺癌
无糖尿病史
否认冠心病史
既往胃溃疡，已愈
预防痛风，少食海鲜
避免饮酒，防止肝硬化
若血压≥180/110mmHg请立即急诊
高血压患者每日食盐<5g
戒烟限酒，规律作息，适量运动
目标血压<140/90mmHg
血尿酸宜控制在360μmol/L以下
听力未查，建议补查
心脏彩超未做
骨密度拒检
三高人群，低盐低脂低糖饮食
高血压、高脂血症、高尿酸血症，心血管风险增加
1.高血压 2.脂肪肝 3.高尿酸血症 4.左肾结石，余未见明显异常
血压偏高，血脂异常，请心内科就诊
空腹血糖5.4mmol/L，正常
肌酐80μmol/L，尿素5.1mmol/L，正常
血红蛋白146g/L，正常
ALT、AST正常，GGT偏高
定期复查肝功能、血脂、尿酸
建议完善颈动脉超声、心脏彩超
每年体检一次
减少熬夜，控制体重
肝内无回声区，考虑肝囊肿
血压升高可导致脑卒中、冠心病、肾功能损害
高尿酸血症可引起痛风、肾结石
多食蔬菜水果，避免动物内脏
如有头晕、胸闷、心悸等不适，及时就诊
心率78次/分
电解质正常
"""
HERS_FALSE = """
轻度贫血，巨幼细胞性
巨幼细胞性贫血
大细胞性贫血
再生障碍性贫血
重度贫血
地中海贫血
无贫血
甲减
甲状腺结节
甲状腺未见异常
桥本甲状腺炎伴结节
乙肝小三阳
乙肝五项均阴性
乙肝病毒DNA阴性
HBV-DNA<20IU/mL
HBV-DNA低于检测下限
丙肝抗体阳性
肝硬化
脂肪肝
肝囊肿
胆囊结石
胆囊息肉13mm
胆囊未见异常
左乳结节
左乳结节BI-RADS 4a类
双乳未见异常
乳腺超声正常
右乳未见异常
乳腺增生
乳腺纤维腺瘤
BI-RADS 2类
子宫肌瘤56mm
子宫腺肌症
右附件囊肿
卵巢囊肿，妇科随诊
宫颈息肉
宫颈癌
TCT未见异常
TCT：HSIL
HPV阴性
宫颈糜烂
骨质疏松
骨密度正常
T值-3.2
骨密度T值：-2.9
双肾正常
右肾积水
肾结石
耳鼻喉未见异常
双耳听力正常
鼻腔正常
色盲
红绿色弱
高血压1级
高血压
糖尿病
妊娠期糖尿病
窦性心动过缓
心电图正常
室性早搏
胸片示肺炎
肺结节
左肺结节5mm
尿白细胞3+
尿蛋白1+
尿常规正常
CA125升高
消瘦
超重
冠心病
抑郁症
类风湿性关节炎
血钾正常
肺功能正常
血压异常
幽门螺杆菌阴性
子宫内膜息肉
盆腔积液
双侧附件包块
"""
HERS_TRUE = """
血红蛋白98g/L，轻度贫血，小细胞低色素性，考虑缺铁性贫血
缺铁性贫血（铁蛋白5ng/mL），补铁，血液科就诊
贫血，MCV 74fL，铁蛋白降低
甲亢，TSH 0.05mIU/L，内分泌科就诊
甲状腺功能亢进，窦性心动过速
FT3、FT4升高，TSH降低，提示甲亢
乙肝大三阳，HBV-DNA 31000IU/mL，肝病科就诊
HBsAg(+)、HBeAg(+)、HBcAb(+)，大三阳，病毒复制活跃
乙肝表面抗原阳性，肝功能正常
乙肝病毒携带，每半年复查肝功能、AFP、肝脏超声
胆囊息肉5mm，每年复查
胆囊息肉（0.5cm），若>10mm请外科就诊
右乳外下象限结节11×8mm，BI-RADS 4a类，乳腺外科就诊，建议穿刺
右乳结节BI-RADS 4a类，左乳未见异常
乳腺结节（BI-RADS 4a类），尽快就诊
子宫肌瘤21×18mm，妇科随诊
子宫肌瘤，如月经量增多请就诊
双附件未见异常
附件区未见异常
ASC-US伴HPV阳性，建议阴道镜检查
HPV阳性，TCT示ASC-US
骨量减少，T值-1.4，补钙
尿白细胞1+，多饮水，复查尿常规
窦性心动过速，与甲亢有关
心率72次/分
肝脏超声未见异常
胸片正常
心肺膈未见异常
血压106/68mmHg，正常
血糖、血脂正常
肾功能正常
肝功能未见异常
肿瘤标志物正常
血尿酸正常
色觉正常
BMI 19.6，体重正常
听力未查
妇科触诊拒检
甲状腺超声未做，建议补查
母亲乳腺癌，右乳结节尽快就诊
否认糖尿病、高血压史
预防骨质疏松，多晒太阳
避免劳累、饮酒，防止肝硬化
乙肝患者家属建议接种疫苗
如出现心悸加重、高热，警惕甲亢危象，立即就诊
低碘饮食，忌海带紫菜
多食瘦肉、动物肝脏
备孕前请控制甲状腺功能
1.缺铁性贫血 2.甲亢 3.乙肝大三阳 4.右乳结节BI-RADS 4a类 5.子宫肌瘤
贫血、甲亢、大三阳，请尽快就诊
除贫血、甲亢、乙肝外，余无明显异常
建议完善甲状腺超声、TRAb
3个月后复查血常规、铁蛋白
2019年行剖宫产
曾患肺结核，已治愈
每年复查乳腺超声
定期妇科检查，3～6个月复查TCT
"""


def exam(example: ExampleIn, values: dict[str, str], unexamined: tuple[str, ...]) -> tuple[Truth, list[str], set[UUID]]:
    """Return what an exam's results say, what is advised on them, and which results findings rest on."""
    current = {code: known(code, text, None, example) for code, text in values.items()}
    current = {code: replace(one, unexamined=one.text == "拒检") for code, one in current.items()}
    decided = Case(example.sex, example.age_years or 0, current, {}).decided
    findings = {finding.code: finding for finding in CONTENT.findings}
    names: set[str] = set()
    advice: list[str] = []
    found: set[UUID] = set()
    for rule in CONTENT.rules:
        verdict = evaluate(rule.condition, decided)
        if verdict.holds:
            one = findings[rule.finding]
            names.add(one.name)
            advice += [words for words in (one.advice, one.lifestyle) if words]
            found |= {i for i in verdict.result_ids if i is not None}
    values_now: dict[UUID | None, Known] = {one.result_id: one for one in current.values()}
    alarms = frozenset(one.item_name for one in current.values() if one.flag in ("HH", "LL"))
    idle = frozenset((ITEMS[code].name, code) for code in unexamined)
    idle |= {(one.item_name, one.item_code) for one in current.values() if one.unexamined}
    truth = Truth(
        values_now, list(current.values()), frozenset(), frozenset(names), alarms, (), all_known=True, unexamined=idle
    )
    return truth, advice, found


def verdict_of(truth: Truth, advice: list[str], found: set[UUID], text: str) -> str:
    """Return what becomes of a sentence: refused, asked, or passed silently."""
    values = list(truth.current.values())
    if (
        truth.contradicts(text, free=advice)
        or truth.calls_unexamined_normal(text)
        or calm_beside([("o", text)], values, found)
    ):
        return "refused"
    return "asked" if truth.asked(text, free=advice) else "passed"


def lines(text: str) -> list[str]:
    """Return the sentences of a table."""
    return [line for line in text.strip().split("\n") if line]
