"""The names of what alarms whatever the rules of the knowledge base say."""

# What the laboratory itself calls critical alarms whether or not one of our limits would. The edition's own rule of it says its class and
# what to do; the name and the action here are those of an edition without one.
LAB_ALARM = "LAB-CRITICAL"
LAB_ALARM_NAME = "检验科报危急值"
LAB_ALARM_ACTION = "立即与检验科核实结果并复述,通知受检者与临床医生。"


TEXT_GRAVE = "TEXT-GRAVE"
"""Rule of an alert of grave words of a description. Words alone are never of class A; somebody looks at once all the same, and until then, and
until somebody was told, nobody finalizes the exam."""
WORDS_ALARM_NAME = "描述中有须立即查看的所见"
WORDS_ALARM_ACTION = "立即查看原文,由医师判断是否属危急值或重要异常,并按相应流程通知。"
"""The name and the action of such an alert where the words stand on no line."""
NOT_EXCLUDED_ALARM = "CRITICAL-NOT-EXCLUDED"
"""Rule of an alert of what nobody could read, or whose unit nobody knows, and that may be critical by our limits."""
NOT_EXCLUDED_NAME = "数值待核实,不能排除危急值"
NOT_EXCLUDED = "不能排除危急值"
"""What a patient is told beside a value such as ">20"."""
