"""First floor, left wing: what happens, and when.

Knows the model and trio; sees the world through the ports only.
"""
