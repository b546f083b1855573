"""What is wrong with a shop file, where, and what was expected."""

from __future__ import annotations

from lineadmin.errors import DomainError

Path = tuple[str | int, ...]


class ShopFileError(DomainError):
    """One mistake: its line (from 1), the way to the field, and a sentence."""

    def __init__(self, line: int | None, path: Path, sentence: object) -> None:
        self.line = line
        self.path = path
        self.sentence = str(sentence)
        where = [f"line {line}"] if line else []
        if path:
            where.append(written(path))
        super().__init__(": ".join([*where, self.sentence]), field=written(path) or None)


class ShopFileErrors(DomainError):
    """All mistakes that were found before anything was changed, in the order of their lines."""

    def __init__(self, errors: list[ShopFileError]) -> None:
        self.errors = sorted(errors, key=lambda error: error.line or 0)
        super().__init__("\n".join(str(error) for error in self.errors))


def written(path: Path) -> str:
    """("replies", 0, "match") as people write it: replies[0].match"""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += f".{step}" if text else step
    return text
