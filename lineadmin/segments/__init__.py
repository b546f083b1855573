"""Conditions that pick friends out: their language, their SQL and their sentence."""
