"""lineadmin: the panel with which one shop runs its LINE Official Account."""
