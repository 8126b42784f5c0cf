"""What several tests of data begin with."""

import pytest


@pytest.fixture
def own_caches(tmp_path_factory, monkeypatch):
    """The caches of folders of videos lie in a folder of the test."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
