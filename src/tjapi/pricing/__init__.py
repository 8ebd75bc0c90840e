"""价格: what a set of item groups costs, line by line, and how each price came about. Nothing is stored here.

A package has one fixed price; its item groups share it in proportion to their list prices, so that withdrawing one gives back its share
and not its list price. What is added costs its list price.

What a package leaves open is chosen (so many of these); what another group examines wholly is left out and not billed; what excludes
each other, or does not fit the person (sex, age, pregnancy), is refused by name. Registration, additions and quotes take this one path.
"""
