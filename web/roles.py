"""Which roles may do what."""

from web.desk import Role

EVERYBODY = frozenset(Role)
SUPERVISORS = frozenset({Role.SUPERVISOR})
AUDITORS = frozenset({Role.AUDITOR})
AT_THE_DESK = frozenset({Role.AGENT, Role.SUPERVISOR})
"""Who works with calls; an agent only with its own."""
OVERSEERS = frozenset({Role.SUPERVISOR, Role.OPERATOR, Role.AUDITOR})
"""Who sees all agents."""
BLOCKERS = frozenset({Role.SUPERVISOR, Role.OPERATOR})
DRILLERS = frozenset({Role.SUPERVISOR, Role.OPERATOR})
