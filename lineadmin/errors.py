"""What can go wrong by the rules of the house, told in sentences for staff."""

from __future__ import annotations


class DomainError(Exception):
    """An action was refused. `str(error)` is a sentence staff can read and act on.

    The message may be a lazy translation: it becomes text in the language of whoever reads it.
    `field` names the form field the sentence belongs to, where there is one.
    """

    def __init__(self, message: object, *, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field

    def __str__(self) -> str:
        return str(self.message)


class NotAllowed(DomainError):
    """The role of the person asking does not include this action."""


class Conflict(DomainError):
    """Somebody else saved the same thing first; nothing of this save was kept."""


class ConfigError(Exception):
    """A setting of the environment is missing or wrong. Names the variable; stops start-up."""

    def __init__(self, variable: str, problem: str) -> None:
        super().__init__(f"{variable}: {problem}")
        self.variable = variable
        self.problem = problem
