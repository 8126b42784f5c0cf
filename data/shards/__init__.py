"""Token shards: clips tokenized once and kept in safetensors files, to train from many times.

A folder holds `shard-00000.safetensors`, ... and `index.json`, which names every shard with its count and hash. A shard holds the
tensor `tokens` `[N, T, h, w]`, int16 if the values fit and int32 otherwise. The header holds the names and captions of its clips
as JSON. If any clip has them, there are `actions` float32 `[N, T, stride, A]` and `rewards` float32 `[N, T]`, NaN where unknown,
and `ends` int8 `[N, T]`, -1 where unknown. The index says what the actions are. Shards and index are replaced whole, so an
interrupted writing keeps what was done.
"""

from .index import INDEX_FILE, Index, TokenClip
from .reader import TokenShards
from .writer import ShardWriter, write_shards

__all__ = ["INDEX_FILE", "Index", "ShardWriter", "TokenClip", "TokenShards", "write_shards"]
