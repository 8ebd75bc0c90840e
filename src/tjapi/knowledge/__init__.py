"""知识库: findings and diseases with their advice, and the rules that find them. Versioned data, never code.

    version   draft → active → retired;  one version is active

A rule is a condition over the current results of one exam (rules.py). What it makes of a condition that holds is said by whoever asks:
`result` a finding and a line of the department's summary, `critical_value` an alert, `conclusion` a conclusion.
"""
