"""Step messages on screen: the list, and the editor with its canvas (being written)."""


def views():
    return []
