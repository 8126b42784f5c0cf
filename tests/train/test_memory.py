"""Memory that a step frees is kept."""

import platform

from framecast.train.memory import keep_freed_memory


def test_memory_is_kept_where_the_c_library_knows_how(monkeypatch):
    assert keep_freed_memory() == (platform.libc_ver()[0] == "glibc")
    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    assert not keep_freed_memory()
