"""Redis: the only place that imports redis-py and hiredis.

redis-py makes the connection (password, TLS, Sentinel, Cluster); reading is
ours: whole socket buffers through hiredis, since redis-py's own `listen`
costs ten times as much and subscribes again silently after it was cut off.
"""

from broker.transport.redis.check import check
from broker.transport.redis.keys import RedisKeys
from broker.transport.redis.look import RedisLooker
from broker.transport.redis.publish import RedisPublisher
from broker.transport.redis.subscribe import RedisSubscription
from broker.transport.redis.tap import RedisTap

__all__ = ["RedisKeys", "RedisLooker", "RedisPublisher", "RedisSubscription", "RedisTap", "check"]
