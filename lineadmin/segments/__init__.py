"""Who: conditions on friends as a language of their own, compiled to SQL and told in words."""

from lineadmin.segments.catalogue import catalogue
from lineadmin.segments.compile import COUNT_CAP, count, where
from lineadmin.segments.language import check_names, dump, parse, problems
from lineadmin.segments.tree import EVERYONE, Tree, TreeError
from lineadmin.segments.words import sentence

__all__ = [
    "COUNT_CAP",
    "EVERYONE",
    "Tree",
    "TreeError",
    "catalogue",
    "check_names",
    "count",
    "dump",
    "parse",
    "problems",
    "sentence",
    "where",
]
