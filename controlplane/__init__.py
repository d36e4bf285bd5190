"""The brain: flags, rollouts, health and their audit. No HTTP in here.

domain      what is true: pure values and decisions
documents   how people and files write a flag
store       where it is kept: SQLAlchemy, one transaction at a time
usecases    what can be done: one function per sentence
scheduler   when it is done by itself: a metronome
"""
