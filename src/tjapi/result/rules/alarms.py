"""The names of what alarms without a rule of the knowledge base."""

# No rule of the knowledge base: what the laboratory itself calls critical alarms whether or not one of ours would.
LAB_ALARM = "LAB-CRITICAL"
LAB_ALARM_NAME = "检验科报危急值"
LAB_CALLS_IT_CRITICAL = "检验科标为危急"
LAB_ALARM_ACTION = "立即与检验科核实结果并复述,通知受检者与临床医生。"


NOT_EXCLUDED_ALARM = "CRITICAL-NOT-EXCLUDED"
"""Rule of an alert of what nobody could read, or whose unit nobody knows, and that may be critical by our limits."""
NOT_EXCLUDED_NAME = "数值待核实,不能排除危急值"
NOT_EXCLUDED = "不能排除危急值"
"""What a patient is told beside a value such as ">20"."""
