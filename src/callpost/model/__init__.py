"""Ground floor: what things are.

Pure: no await, no clock, no dice, no files, no sockets.
"""
