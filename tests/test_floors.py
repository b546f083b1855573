"""Imports go downstairs only; only one room knows the LINE SDK; rooms know no web framework."""

from importlinter.cli import lint_imports


def test_the_floors_hold(capsys):
    assert lint_imports() == 0, capsys.readouterr().out
