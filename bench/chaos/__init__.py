"""kill -9 the real processes while messages go out; the phones alone say what arrived.

`kills` (`./run chaos`) kills again and again at random moments, in a small shop whose LINE fails in
every way. `size` (`./run chaos --at-size`) kills once in each kind of work on a segment of 100,000,
with LINE's monthly limit and a cancel in the middle.
"""
