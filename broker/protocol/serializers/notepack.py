"""Notepack: MsgPack as notepack.io writes and reads it.

notepack.io 3 differs from msgpack5 only in choices that readers do not see
(floats always of 64 bits). 2.x wrote dates and ``undefined`` as an extension
of its own, which reading MsgPack understands.
"""

from broker.protocol.serializers.msgpack import dumps, loads

__all__ = ["dumps", "loads"]
