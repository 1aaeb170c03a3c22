"""The operators' view in a terminal: the actor tree, or those that stand out, live or once."""

from greenroom.operator_terminal.client import OperatorClient, ServerFailure
from greenroom.operator_terminal.showing import show_live, show_once
from greenroom.operator_terminal.view import View
from greenroom.operator_terminal.words import duration

__all__ = ["OperatorClient", "ServerFailure", "View", "duration", "show_live", "show_once"]
