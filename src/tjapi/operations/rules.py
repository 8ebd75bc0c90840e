"""Labels of every code in the contract."""

from tjapi.identity.rules import CLIENT_STATE, STAFF_STATE
from tjapi.result.rules.questions import ANSWER_LABELS, QUESTION_LABELS

EXAM_STATE = {
    "prepared": ("已登记", "Prepared"), "checked_in": ("已报到", "Checked in"), "in_progress": ("检查中", "In progress"), "sheet_returned": ("已交指引单", "Guide sheet returned"), "on_hold": ("暂停", "On hold"),
    "ready_for_review": ("待主检", "Ready for review"), "in_review": ("主检中", "In review"), "finalized": ("已终审", "Finalized"),
    "cancelled": ("已取消", "Cancelled"),
}  # fmt: skip
LINE_STATE = {
    "ordered": ("已开单", "Ordered"), "released": ("已放行", "Released"), "sent": ("已申请", "Requested"), "collected": ("已采集", "Collected"),
    "started": ("检查中", "Started"), "resulted": ("已出结果", "Resulted"), "verified": ("已审核", "Verified"),
    "withdrawn": ("退项", "Withdrawn"), "refused": ("拒检", "Refused"), "waived": ("弃检", "Waived"), "deferred": ("延期", "Deferred"),
    "substituted": ("已换项", "Substituted"), "specimen_rejected": ("标本被拒", "Specimen rejected"),
}  # fmt: skip
TUBE_STATE = {
    "planned": ("待采集", "Planned"), "collected": ("已采集", "Collected"), "handed_over": ("已交出", "Handed over"), "received": ("已接收", "Received"),
    "sent_out": ("已外送", "Sent out"), "rejected": ("已拒收", "Rejected"),
    "cancelled": ("已取消", "Cancelled"),
}  # fmt: skip
REJECT_REASON = {
    "haemolysed": ("溶血", "Haemolysed"), "clotted": ("凝块", "Clotted"), "lipaemic": ("脂血", "Lipaemic"), "insufficient": ("标本量不足", "Not enough"),
    "wrong_container": ("容器错误", "Wrong container"), "unlabeled": ("无标签", "No label"), "mislabeled": ("标签错误", "Wrong label"),
    "contaminated": ("污染", "Contaminated"), "broken": ("容器破损", "Broken or leaking"), "wrong_time": ("采集时间不符", "Taken at the wrong time"),
    "expired": ("超过送检时限", "Too old"), "lost": ("标本丢失", "Lost"), "other": ("其他", "Other"),
}  # fmt: skip
TUBE_ACTION = {
    "label_printed": ("打印标签", "Label printed"), "collected": ("采集", "Collected"), "listed": ("上交接单", "Put on a list"),
    "unlisted": ("下交接单", "Taken off a list"), "handed_over": ("交出", "Handed over"), "sent_out": ("外送", "Sent out"),
    "received": ("接收", "Received"), "missing": ("接收时缺失", "Missing at the receipt"), "rejected": ("拒收", "Rejected"),
    "replaced": ("代替被拒试管", "Planned in place of a rejected one"), "reported": ("外送结果回报", "Result came in"),
    "returned": ("外送退回", "Came back"), "cancelled": ("取消", "Cancelled"),
}  # fmt: skip
HANDOVER_STATE = {
    "open": ("登记中", "Open"), "handed_over": ("已交出", "Handed over"), "received": ("已签收", "Signed for"), "cancelled": ("已作废", "Cancelled"),
}  # fmt: skip
HANDOVER_OUTCOME = {
    "received": ("已接收", "Received"), "rejected": ("拒收", "Refused"), "missing": ("缺失", "Missing"), "removed": ("已下单", "Taken off"),
    "elsewhere": ("出现在其他交接单", "Turned up on another list"),
}  # fmt: skip
HANDOVER_EXTRA = {
    "received": ("多出,已接收", "Too many, taken in"), "unknown": ("条码不存在", "Unknown bar code"), "not_collected": ("未登记采集", "Not collected by our records"),
    "rejected": ("已拒收的试管", "Rejected before"), "cancelled": ("已取消的试管", "Cancelled"), "sent_out": ("已外送的试管", "Sent out"),
}  # fmt: skip
REQUISITION_STATE = {
    "planned": ("待发送", "Planned"), "sent": ("已发送", "Sent"), "failed": ("发送失败", "Failed"), "cancelled": ("已取消", "Cancelled"),
}  # fmt: skip
TICKET_STATE = {
    "waiting": ("候诊", "Waiting"), "called": ("已叫号", "Called"), "in_room": ("检查中", "In the room"), "passed": ("过号", "Passed over"),
    "done": ("已完成", "Done"), "dropped": ("已放弃", "Dropped"),
}  # fmt: skip
BOARD_COLUMN = {
    "booked": ("当日已预约", "Booked"), "awaiting_payment": ("待交费", "Awaiting payment"), "checked_in": ("已报到", "Checked in"),
    "blood_drawn": ("已抽血", "Blood drawn"), "examined": ("已检查", "Examined"),
}  # fmt: skip
SHEET_POLICY_MODE = {"refuse": ("自动拒检", "Refuse what is open"), "ask": ("逐项决定", "Ask on each line")}
LINE_ACTION = {
    "added": ("加项", "Added"), "withdrawn": ("退项", "Withdrawn"), "substituted": ("换项", "Substituted"), "refused": ("拒检", "Refused"),
    "waived": ("弃检", "Waived"), "deferred": ("延期", "Deferred"), "reinstated": ("恢复", "Reinstated"), "made_up": ("补检", "Made up for"),
    "kept": ("不适用仍照做", "Stands in spite of all"), "consented": ("本人同意", "Consented to"),
    "consent_withdrawn": ("撤回同意", "Consent withdrawn"),
}  # fmt: skip
LINE_COVERING = {"paid": ("已交费", "Paid"), "remitted": ("免收", "Not asked for")}
DOCUMENT_KIND = {
    "guide_sheet": ("指引单", "Guide sheet"), "request_form": ("申请单", "Request form"), "tube_label": ("试管标签", "Tube label"),
    "exam_label": ("体检号标签", "Exam label"),
}  # fmt: skip
PRINT_FORMAT = {
    "pdf": ("PDF", "PDF"), "zpl": ("ZPL(斑马标签机)", "ZPL (Zebra label printers)"), "tspl": ("TSPL(TSC 等标签机)", "TSPL (TSC and other label printers)"),
}  # fmt: skip
REPORT_STATE = {
    "rendering": ("生成中", "Rendering"),
    "failed": ("未生成", "Failed"), "generated": ("已生成", "Generated"), "sealed": ("已盖章", "Sealed"), "published": ("已发布", "Published"),
    "superseded": ("已被新版取代", "Superseded"), "recalled": ("已撤回", "Recalled"),
}  # fmt: skip
REPORT_FAILURE = {
    "results_changed": ("终审后结果有变化", "A result changed after the final sign-off"), "no_seal": ("没有电子章", "There is no seal"),
    "seal_invalid": ("盖章未通过校验", "The seal did not check out"),
    "not_rendered": ("多次生成未成功", "It could not be rendered"),
    "consent_withdrawn": ("本人撤回同意", "The person withdrew consent"), "person_changed": ("受检者资料有变化", "The person's data changed"),
    "reviewed_again": ("已重新主检,由新版本取代", "The exam is reviewed again; a new version takes its place"),
}  # fmt: skip
REPORT_FLAG = {
    "": ("正常", "Normal"),
    "high": ("偏高", "High"), "low": ("偏低", "Low"), "critical_high": ("危急偏高", "Critically high"), "critical_low": ("危急偏低", "Critically low"),
    "critical": ("危急", "Critical"),
    "abnormal": ("异常", "Abnormal"), "undetermined": ("未判定", "Not judged"),
}  # fmt: skip
REPORT_CHANGE_SECTION = {
    "person": ("受检者", "Examinee"), "result": ("结果", "Result"), "conclusion": ("结论", "Conclusion"), "overview": ("综述", "Overview"),
    "unperformed": ("未检项目", "Not examined"), "signature": ("签署", "Signature"),
}  # fmt: skip
REPORT_CHANGE = {"added": ("新增", "Added"), "removed": ("删除", "Removed"), "changed": ("改变", "Changed")}
JOB_STATE = {
    "queued": ("排队", "Queued"), "running": ("运行中", "Running"), "succeeded": ("成功", "Succeeded"), "dead": ("失败", "Dead"),
    "cancelled": ("已取消", "Cancelled"),
}  # fmt: skip
MESSAGE_STATE = {
    "received": ("已接收", "Received"), "filed": ("已归档", "Filed"), "duplicate": ("重复", "Duplicate"), "revision": ("修订", "Revision"),
    "quarantined": ("已隔离", "Quarantined"), "unmatched": ("未匹配", "Unmatched"),
}  # fmt: skip
RELEASE_STATE = {
    "proposed": ("待同意", "Proposed"),
    "released": ("已放行", "Released"),
    "rejected": ("已拒绝", "Refused"),
}
SEX = {"male": ("男", "Male"), "female": ("女", "Female"), "unknown": ("未知", "Unknown"), "any": ("不限", "Any")}
FLAG = {
    "": ("正常", "Normal"), "H": ("偏高", "High"), "L": ("偏低", "Low"), "HH": ("危急偏高", "Critically high"),
    "LL": ("危急偏低", "Critically low"), "A": ("异常", "Abnormal"),
}  # fmt: skip
EXAM_DOUBT = {
    "past_date": ("体检日期早于今天", "The day of the exam is past"),
    "second_exam": ("受检者当天已有体检", "The examinee has an exam on that day already"),
    "closed_day": ("院区当天不开诊", "The campus is closed on that day"),
    "far_date": ("体检日期在一年以后", "The day of the exam is more than a year ahead"),
}
ID_KIND = {
    "resident": ("居民身份证", "Resident ID card"), "hk_mo_tw_resident": ("港澳台居民居住证", "Residence permit for HK, Macao, Taiwan residents"),
    "hk_mo_travel_permit": ("港澳居民来往内地通行证", "Mainland travel permit for HK and Macao residents"),
    "tw_travel_permit": ("台湾居民来往大陆通行证", "Mainland travel permit for Taiwan residents"),
    "foreign_permanent": ("外国人永久居留身份证", "Foreign permanent resident ID card"), "passport": ("护照", "Passport"), "none": ("无证件", "None"),
}  # fmt: skip
PHOTO_SOURCE = {"id_card": ("读卡器", "Card reader"), "camera": ("拍照", "Camera")}
IDENTIFIER_KIND = {
    "exam_card": ("体检卡", "Exam card"), "visit_card": ("就诊卡", "Hospital card"), "his_patient": ("HIS 患者号", "Patient id of the HIS"),
}  # fmt: skip
KNOWLEDGE_VERSION_STATE = {
    "draft": ("草稿", "Draft"), "scheduled": ("待生效", "Scheduled"), "active": ("使用中", "Active"), "retired": ("已停用", "Retired"),
}  # fmt: skip
FINDING_KIND = {
    "disease": ("疾病", "Disease"), "finding": ("阳性发现", "Positive finding"), "risk": ("危险因素", "Risk factor"),
}  # fmt: skip
FINDING_ASSERTION = {
    "present": ("有", "Present"), "possible": ("可能", "Possible"), "absent": ("无", "Absent"), "historical": ("既往", "In the past"),
    "postoperative": ("术后", "After an operation"), "family": ("家族史", "In the family"),
}  # fmt: skip
FINDING_SIDE = {"left": ("左侧", "Left"), "right": ("右侧", "Right"), "both": ("双侧", "Both sides")}
FINDING_NUMBER = {"single": ("单发", "Single"), "multiple": ("多发", "Multiple")}
FINDING_NORMAL = {"all": ("全部正常", "All is normal"), "rest": ("其余未见异常", "The rest is normal")}
IMPORTANT_CLASS = {
    "A": ("A 类:立即处理", "Class A: act at once"), "B": ("B 类:进一步检查", "Class B: further examination"),
}  # fmt: skip
CRITICAL_STATE = {
    "detected": ("待确认", "Detected"), "confirmed": ("已确认", "Confirmed"), "dismissed": ("已排除", "Dismissed"),
    "notifying": ("通知中", "Notifying"), "notified": ("已通知", "Notified"), "in_follow_up": ("随访中", "In follow-up"),
    "closed": ("已了结", "Closed"), "superseded": ("结果更正后取代", "Superseded by a correction"),
}  # fmt: skip
CHANNEL = {
    "phone": ("电话", "Phone"), "in_person": ("当面", "In person"), "sms": ("短信", "SMS"), "wechat": ("微信", "WeChat"), "other": ("其他", "Other"),
}  # fmt: skip
CAMPAIGN_STATE = {
    "draft": ("筹备中", "Draft"), "open": ("进行中", "Open"), "completed": ("已完成", "Completed"), "reopened": ("重新启动", "Reopened"),
}  # fmt: skip
MEMBER_STATE = {
    "listed": ("未预约", "Listed"), "booked": ("已预约", "Booked"), "done": ("已体检", "Done"), "no_show": ("未到检", "Did not come"),
    "cancelled": ("已取消", "Cancelled"),
}  # fmt: skip
PLACEMENT = {
    "matched": ("按条件归组", "By the rules"), "assigned": ("人工指定", "By hand"), "none": ("无符合分组", "No group fits"),
    "ambiguous": ("多组符合", "Several groups fit"),
}  # fmt: skip
MARITAL_STATUS = {
    "single": ("未婚", "Single"), "married": ("已婚", "Married"), "divorced": ("离异", "Divorced"), "widowed": ("丧偶", "Widowed"),
    "unknown": ("未知", "Unknown"),
}  # fmt: skip
MEMBER_IMPORT_STATE = {
    "received": ("读取中", "Being read"), "previewed": ("待确认", "Previewed"), "committed": ("已导入", "Taken over"),
    "refused": ("不能读取", "Refused"), "discarded": ("已放弃", "Discarded"),
}  # fmt: skip
AMENDMENT_TASK_STATE = {"open": ("待处理", "Open"), "closed": ("已处理", "Closed")}
APPOINTMENT_STATE = {
    "held": ("占位", "Held"), "booked": ("已预约", "Booked"), "arrived": ("已到检", "Arrived"), "no_show": ("未到检", "Did not come"),
    "cancelled": ("已取消", "Cancelled"),
}  # fmt: skip
APPOINTMENT_SOURCE = {
    "desk": ("前台", "Front desk"), "portal": ("自助", "By the examinee"), "batch": ("团检批量", "Group batch"),
    "waiting_list": ("候补", "Waiting list"),
}  # fmt: skip
WAIT_STATE = {
    "waiting": ("候补中", "Waiting"), "offered": ("已有名额", "Offered a place"), "booked": ("已预约", "Booked"), "lapsed": ("已过期", "Lapsed"),
    "left": ("已退出", "Left"),
}  # fmt: skip
RESOURCE_SCOPE = {"day": ("按天", "By day"), "session": ("按时段", "By session")}
DUPLICATE_EVIDENCE = {
    "same_id_number": ("证件号码相同(含 15/18 位)", "The same ID number (15 or 18 digits)"), "different_id_number": ("同类证件号码不同", "Different ID numbers of one kind"),
    "same_name": ("姓名相同", "The same name"), "same_reading": ("姓名读音相同", "Names that read the same"), "different_name": ("姓名不同", "Different names"),
    "same_birth_date": ("出生日期相同", "The same birth date"), "similar_birth_date": ("出生日期仅差一位或月日互换", "Birth dates a slip apart"),
    "different_birth_date": ("出生日期不同", "Different birth dates"), "same_sex": ("性别相同", "The same sex"), "different_sex": ("性别不同", "Different sexes"),
    "same_phone": ("电话相同", "The same phone"),
}  # fmt: skip
CONTRADICTION = {
    "id_number": ("证件号码矛盾", "ID numbers contradict"), "sex": ("性别矛盾", "Sexes contradict"), "birth_date": ("出生日期矛盾", "Birth dates contradict"),
}  # fmt: skip
GUARDIAN_RELATION = {
    "father": ("父亲", "Father"), "mother": ("母亲", "Mother"), "grandparent": ("祖父母或外祖父母", "Grandparent"), "other": ("其他监护人", "Another guardian"),
}  # fmt: skip
CONSENT_FORM = {
    "signed_paper": ("书面签字", "Signed paper"), "in_person": ("当面口头", "Said in person"), "electronic": ("电子确认", "Electronically"),
}  # fmt: skip
CHECK_METHOD = {
    "id_card": ("读取证件", "Card read"), "photo": ("比对照片", "Photo compared"), "face_match": ("外部人脸比对", "Faces compared by a device"),
}  # fmt: skip
CHECK_OUTCOME = {
    "same": ("本人", "The same person"),
    "doubtful": ("存疑", "Doubtful"),
    "different": ("非本人", "Somebody else"),
}
CONCLUSION_STATE = {
    "draft": ("草稿", "Draft"), "initial_signed": ("初审已签", "First review signed"), "finalized": ("已终审", "Finalized"),
}  # fmt: skip
PERFORMED_BY = {
    "lis": ("检验系统回报", "Reported by the laboratory system"),
    "department": ("科室录入", "Entered by the department"),
}
ITEM_KIND = {
    "numeric": ("数值", "Numeric"), "qualitative": ("定性", "Qualitative"), "enumerated": ("单选", "One choice"),
    "multi_select": ("多选", "Several choices"), "text": ("描述", "Description"), "computed": ("计算", "Computed"),
}  # fmt: skip
SEX_APPLIED = {"any": ("不限", "Any"), "male": ("男", "Male"), "female": ("女", "Female")}
ADD_ONS = {
    "self_paid": ("加项自费", "Add-ons are paid by the person"),
    "within_cap": ("限额内由单位支付", "The employer pays within the cap"),
}
BEYOND_CAP = {
    "self_paid": ("超出部分自费", "The person pays what is beyond"),
    "refused": ("不得超出", "Not beyond the cap"),
}
CHARSET = {
    "utf-8": ("UTF-8 编码", "UTF-8"), "gb18030": ("GB18030 编码", "GB18030"), "iso-8859-1": ("ISO 8859-1 编码", "ISO 8859-1"),
}  # fmt: skip
RULE_PURPOSE = {"critical": ("危急值规则", "Critical rule"), "finding": ("体征词规则", "Finding rule")}
SHEET_STATE = {"draft": ("未签名", "Draft"), "signed": ("已签名", "Signed")}
IMPORT_ENTRY_KIND = {"error": ("错误", "Error"), "warning": ("提示", "Warning"), "update": ("更新", "Update")}
REPRICING_OUTCOME = {
    "repriced": ("已重新计价", "Repriced"),
    "same": ("价格不变", "Same price"),
    "left_alone": ("未改动", "Left alone"),
}
STANDING = {
    "listed": ("在名单中", "Listed"), "booked": ("已预约", "Booked"), "unfinished": ("检查未完成", "Unfinished"), "finished": ("已完成", "Finished"),
    "no_show": ("未到检", "No show"), "cancelled": ("已取消", "Cancelled"),
}  # fmt: skip
CATALOG_CHANGE = {"added": ("新增", "Added"), "changed": ("改动", "Changed"), "new_edition": ("新版本", "New edition")}
CATALOG_KIND = {"item": ("项目", "Item"), "item_group": ("项目组", "Item group"), "package": ("套餐", "Package")}
KNOWLEDGE_ROW = {
    "finding": ("体征词", "Finding"), "rule": ("体征词规则", "Finding rule"), "critical": ("危急值规则", "Critical rule"), "range": ("参考区间", "Range"),
}  # fmt: skip
COMMIT_MODE = {"atomic": ("全部成功才生效", "All or nothing"), "valid_rows": ("只导入有效行", "The valid rows")}
CRITICAL_STEP = {
    "detected": ("发现", "Detected"), "confirmed": ("确认", "Confirmed"), "dismissed": ("排除", "Dismissed"), "notified": ("已通知", "Notified"),
    "attempt_failed": ("通知未成", "Not reached"), "followed_up": ("随访", "Followed up"), "closed": ("闭环", "Closed"),
    "superseded": ("被更正取代", "Superseded"), "corrected": ("结果更正", "Corrected"), "escalated": ("升级", "Escalated"),
    "measured_again": ("复测", "Measured again"),
}  # fmt: skip
DEPARTMENT_KIND = {
    "clinical": ("临床科室", "Clinical"),
    "imaging": ("影像与功能科室", "Imaging"),
    "lab": ("检验科", "Laboratory"),
}
DISCOUNT_TARGET = {
    "everything": ("全部", "Everything"),
    "item_group": ("项目组", "Item group"),
    "package": ("套餐", "Package"),
}
LOOKUP_BY = {
    "any": ("任一", "Any"), "barcode": ("条码", "Bar code"), "card_no": ("体检卡号", "Card number"), "exam_no": ("体检号", "Exam number"),
    "id_number": ("证件号码", "ID number"), "name": ("姓名", "Name"), "phone": ("电话", "Phone"),
}  # fmt: skip
WORKBOOK_KIND = {
    "xlsx": ("XLSX 工作簿", "XLSX workbook"),
    "xls": ("XLS 工作簿", "XLS workbook"),
    "csv": ("CSV 文本", "CSV text"),
}
MEMBER_COLUMN = {
    "name": ("姓名", "Name"), "sex": ("性别", "Sex"), "birth_date": ("出生日期", "Birth date"), "id_kind": ("证件类型", "Kind of ID"),
    "id_number": ("证件号码", "ID number"), "phone": ("电话", "Phone"), "employee_no": ("工号", "Employee number"),
    "department": ("部门", "Department"), "post": ("岗位", "Post"), "hazards": ("危害因素", "Hazards"), "group": ("分组", "Group"),
    "marital_status": ("婚姻状况", "Marital status"), "note": ("备注", "Note"), "ignore": ("忽略此列", "Ignored"),
}  # fmt: skip
PRICE_REASON = {
    "list_price": ("目录价", "List price"), "package_share": ("套餐分摊", "Share of the package"), "discount": ("折扣", "Discount"),
    "employer_pays": ("单位支付", "The employer pays"), "beyond_cap": ("超出限额", "Beyond the cap"), "self_paid": ("自费", "Paid by the person"),
}  # fmt: skip
QUESTION_CLOSED_BY = {
    "value": ("由新结果解答", "A value came"),
    "line": ("项目不再需要", "The line went"),
    "person": ("由人员解答", "A person answered"),
}
REPORT_KIND = {"main": ("体检报告", "Main report"), "private": ("私密报告", "Private report")}
SUMMARY_ORIGIN = {"rule": ("规则生成", "Made by a rule"), "manual": ("人工录入", "Written by hand")}
COMPARATOR = {
    "": ("等于", "Equal"), "<": ("小于", "Less than"), "<=": ("小于或等于", "At most"), ">": ("大于", "Greater than"), ">=": ("大于或等于", "At least"),
}  # fmt: skip
VALUE_STATUS = {
    "preliminary": ("初步结果", "Preliminary"), "final": ("最终结果", "Final"), "corrected": ("更正结果", "Corrected"),
    "entered_in_error": ("作废", "Entered in error"),
}  # fmt: skip
REPORT_VERDICT = {
    "genuine": ("真实有效", "Genuine"), "outdated": ("结果已有更新", "Outdated"), "superseded": ("已有新版本", "Superseded"),
    "recalled": ("已召回", "Recalled"), "unknown": ("查无此报告", "Unknown"),
}  # fmt: skip
REVIEW_VIEW = {
    "all": ("全部", "All"),
    "abnormal": ("仅异常", "Abnormal only"),
    "summaries": ("仅小结", "Summaries only"),
}
RELEASE_DOUBT = {
    "batch-differs": ("批次数量不符", "The batch counts otherwise"), "charset-doubtful": ("字符集存疑", "Doubtful character set"),
    "content-differs": ("同号不同内容", "Same number, other content"), "frame-not-ended": ("报文未完", "The frame did not end"),
    "no-usable-id": ("没有可用的消息号", "No usable message number"), "not-production": ("非生产报文", "Not for production"),
    "outside-a-frame": ("在报文框架之外", "Outside a frame"), "unparsable": ("无法解析", "Not parsable"),
}  # fmt: skip
DICTIONARIES: dict[str, dict[str, tuple[str, str]]] = {
    "appointment_state": APPOINTMENT_STATE,
    "appointment_source": APPOINTMENT_SOURCE,
    "wait_state": WAIT_STATE,
    "resource_scope": RESOURCE_SCOPE,
    "exam_state": EXAM_STATE,
    "exam_doubt": EXAM_DOUBT,
    "line_state": LINE_STATE,
    "tube_state": TUBE_STATE,
    "reject_reason": REJECT_REASON,
    "tube_action": TUBE_ACTION,
    "handover_state": HANDOVER_STATE,
    "handover_outcome": HANDOVER_OUTCOME,
    "handover_extra": HANDOVER_EXTRA,
    "ticket_state": TICKET_STATE,
    "board_column": BOARD_COLUMN,
    "sheet_policy_mode": SHEET_POLICY_MODE,
    "line_action": LINE_ACTION,
    "line_covering": LINE_COVERING,
    "requisition_state": REQUISITION_STATE,
    "document_kind": DOCUMENT_KIND,
    "print_format": PRINT_FORMAT,
    "report_state": REPORT_STATE,
    "report_failure": REPORT_FAILURE,
    "report_flag": REPORT_FLAG,
    "report_change_section": REPORT_CHANGE_SECTION,
    "report_change": REPORT_CHANGE,
    "job_state": JOB_STATE,
    "message_state": MESSAGE_STATE,
    "release_state": RELEASE_STATE,
    "sex": SEX,
    "result_flag": FLAG,
    "id_kind": ID_KIND,
    "campaign_state": CAMPAIGN_STATE,
    "member_state": MEMBER_STATE,
    "placement": PLACEMENT,
    "marital_status": MARITAL_STATUS,
    "member_import_state": MEMBER_IMPORT_STATE,
    "photo_source": PHOTO_SOURCE,
    "identifier_kind": IDENTIFIER_KIND,
    "duplicate_evidence": DUPLICATE_EVIDENCE,
    "contradiction": CONTRADICTION,
    "guardian_relation": GUARDIAN_RELATION,
    "consent_form": CONSENT_FORM,
    "identity_check_method": CHECK_METHOD,
    "identity_check_outcome": CHECK_OUTCOME,
    "knowledge_version_state": KNOWLEDGE_VERSION_STATE,
    "finding_kind": FINDING_KIND,
    "finding_assertion": FINDING_ASSERTION,
    "finding_side": FINDING_SIDE,
    "finding_number": FINDING_NUMBER,
    "finding_normal": FINDING_NORMAL,
    "conclusion_state": CONCLUSION_STATE,
    "amendment_task_state": AMENDMENT_TASK_STATE,
    "critical_state": CRITICAL_STATE,
    "channel": CHANNEL,
    "important_class": IMPORTANT_CLASS,
    "staff_state": STAFF_STATE,
    "client_state": CLIENT_STATE,
    "performed_by": PERFORMED_BY,
    "item_kind": ITEM_KIND,
    "sex_applied": SEX_APPLIED,
    "add_ons": ADD_ONS,
    "beyond_cap": BEYOND_CAP,
    "charset": CHARSET,
    "rule_purpose": RULE_PURPOSE,
    "sheet_state": SHEET_STATE,
    "import_entry_kind": IMPORT_ENTRY_KIND,
    "repricing_outcome": REPRICING_OUTCOME,
    "standing": STANDING,
    "catalog_change": CATALOG_CHANGE,
    "catalog_kind": CATALOG_KIND,
    "knowledge_row": KNOWLEDGE_ROW,
    "commit_mode": COMMIT_MODE,
    "critical_step": CRITICAL_STEP,
    "department_kind": DEPARTMENT_KIND,
    "discount_target": DISCOUNT_TARGET,
    "lookup_by": LOOKUP_BY,
    "workbook_kind": WORKBOOK_KIND,
    "member_column": MEMBER_COLUMN,
    "price_reason": PRICE_REASON,
    "question_closed_by": QUESTION_CLOSED_BY,
    "report_kind": REPORT_KIND,
    "summary_origin": SUMMARY_ORIGIN,
    "comparator": COMPARATOR,
    "value_status": VALUE_STATUS,
    "report_verdict": REPORT_VERDICT,
    "review_view": REVIEW_VIEW,
    "release_doubt": RELEASE_DOUBT,
    "question_kind": {str(kind): labels for kind, labels in QUESTION_LABELS.items()},
    "answer": {str(answer): labels for answer, labels in ANSWER_LABELS.items()},
}
