"""Nothing is silent for long: a line says what a training is at, unless something else shows it."""

import time

from framecast.train.heartbeat import Heartbeat


def test_silence_is_broken_and_a_bar_is_not(capsys):
    with Heartbeat(silence=0.2) as heartbeat:
        heartbeat.at("validating")
        time.sleep(0.9)
        assert "validating: 0 s so far\n" in capsys.readouterr().out or "validating: 1 s so far"
        heartbeat.at("training", has_bar=True)
        capsys.readouterr()
        time.sleep(0.6)
    assert capsys.readouterr().out == ""


def test_what_was_heard_puts_it_off(capsys):
    with Heartbeat(silence=1.5) as heartbeat:
        for _ in range(12):
            heartbeat.heard()
            time.sleep(0.15)
    assert capsys.readouterr().out == ""
