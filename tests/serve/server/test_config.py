"""Limits are checked when they are made."""

import pytest

from framecast.serve import ServeConfig
from framecast.serve.server.config import is_loopback

TOKEN = "a-token-that-is-long"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "[::1]", "localhost"])
def test_this_machine_alone_needs_no_token(host):
    assert is_loopback(host)
    assert ServeConfig(host=host).capacity == 16


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "example.org", ""])
def test_other_addresses_need_a_token(host):
    assert not is_loopback(host)
    with pytest.raises(ValueError, match="which other machines can reach, and no token; wanted a token"):
        ServeConfig(host=host)
    assert ServeConfig(host=host, token=TOKEN).token == TOKEN


def test_a_public_server_needs_no_token_and_takes_none():
    assert ServeConfig(host="0.0.0.0", public=True).token is None
    with pytest.raises(ValueError, match="got a token for a public server"):
        ServeConfig(host="0.0.0.0", public=True, token=TOKEN)


def test_there_are_no_fewer_replicas_at_most_than_at_least():
    assert ServeConfig(replicas=2, max_replicas=2).max_replicas == 2
    with pytest.raises(ValueError, match="got max_replicas 1 and 2 replicas; wanted as many or more"):
        ServeConfig(replicas=2, max_replicas=1)


@pytest.mark.parametrize("origin", ["huggingface.co", "https://a.b/path", "https://a.b; script-src *", "", "*"])
def test_who_may_show_the_page_is_an_origin(origin):
    assert ServeConfig(framed_by=("https://huggingface.co", "https://*.hf.space", "http://localhost:3000")).framed_by
    with pytest.raises(ValueError, match=r"got --framed_by .*; wanted the origin of a site"):
        ServeConfig(framed_by=(origin,))


@pytest.mark.parametrize("token", ["", "short", "sixteen letters!", "ä" * 20])
def test_weak_token_is_refused(token):
    with pytest.raises(ValueError, match="got a token that is short or of odd letters; wanted 16 or more"):
        ServeConfig(token=token)


@pytest.mark.parametrize(
    "wrong",
    [{"slots": 0}, {"queue": -1}, {"port": -1}, {"port": 70000}, {"idle_seconds": 0}, {"stall_seconds": float("nan")}],
    ids=str,
)
def test_number_out_of_range_is_refused(wrong):
    with pytest.raises(ValueError, match=rf"got {next(iter(wrong))} .*; wanted"):
        ServeConfig(**wrong)


def test_a_limit_of_time_may_be_below_one():
    assert ServeConfig(idle_seconds=0.5).idle_seconds == 0.5
    with pytest.raises(ValueError, match="got idle_seconds 0; wanted a number above 0"):
        ServeConfig(idle_seconds=0)
