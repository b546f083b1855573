"""Surveys: questions friends answer on a page of their own, and what the answers say and set."""
