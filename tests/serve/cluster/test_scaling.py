"""Replicas are started while sessions fill the places that there are."""

import asyncio
import time

import pytest
from ray_clusters import running_on_ray
from serving import PROMPT, some

from framecast.serve import ServeError


@pytest.mark.slow
def test_a_second_replica_comes_when_the_first_is_full(tmp_path, monkeypatch):
    pytest.importorskip("ray.serve", reason="Ray Serve is not installed: pip install '.[ray]'")
    from framecast.serve.cluster import ray as on_ray

    monkeypatch.setattr(on_ray, "_GROW_SECONDS", 1.0)

    async def run(client):
        streams = [await client.stream(PROMPT, seed) for seed in range(2)]
        with pytest.raises(ServeError, match="all 2 places are taken"):
            await client.stream(PROMPT, 2)
        begun = time.monotonic()
        while len(streams) < 4 and time.monotonic() < begun + 120:
            try:
                streams.append(await client.stream(PROMPT, len(streams)))
            except ServeError:
                await asyncio.sleep(1)
        return [len(await some(stream, 5)) for stream in streams]

    with running_on_ray(tmp_path, lasting=True, replicas=1, max_replicas=2, slots=2, queue=0) as (client, _):
        assert asyncio.run(run(client)) == [5] * 4
