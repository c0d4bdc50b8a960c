"""What the end-to-end tests are written with; see case.py."""
from .case import Case, once, families, slow, serial, waiting
from .files import data_ranges, digest
from .growing import Growing
from .pythons import Python
from .session import Session, Timeout, poll

__all__ = ["Case", "Growing", "Python", "Session", "Timeout", "data_ranges", "digest",
           "families", "once", "poll", "serial", "slow", "waiting"]
