"""A pretend LINE with phones, behind HTTP like the real one."""
