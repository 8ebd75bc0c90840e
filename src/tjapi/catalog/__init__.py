"""项目与套餐: departments, items, item groups, packages, reference ranges, and what other systems call our items.

The catalog belongs to the whole hospital; no row has a campus.

    item, item group, package   active ⇄ inactive
    reference range             valid_from … valid_to; never edited once used: a new row succeeds an old one

Publishes `external_code.mapped`.
"""
