"""A whole shop as one YAML file, in and out."""

from lineadmin.shopfile.dump import as_data, dump
from lineadmin.shopfile.errors import ShopFileError, ShopFileErrors
from lineadmin.shopfile.load import load

__all__ = ["ShopFileError", "ShopFileErrors", "as_data", "dump", "load"]
