"""First floor, right wing: where callpost touches the world.

One file or folder is one outside thing; none of them knows another, nor the engine.
"""
