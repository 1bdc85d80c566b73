"""Rule events from movement signals: nods, head shakes, turns, tilts, leans, shrugs, hands to the face and so on.

Example:
    >>> from bmoe_app.rules import RULES
    >>> list(RULES)[:3]
    ['nod', 'head_shake', 'turn']
"""

from bmoe_app.rules.events import RuleEvent
from bmoe_app.rules.find import Found, find_events
from bmoe_app.rules.table import RULES, Rule

__all__ = ['RULES', 'Found', 'Rule', 'RuleEvent', 'find_events']
