"""Figures as people read them."""

import re

import pytest

from framecast.evaluate.figures import Figure
from framecast.evaluate.written import cell, written_value

NAN = float("nan")


def text(figure: Figure, target: str = "") -> str:
    return re.sub(r"<[^>]*>", "|", cell(figure, target)).replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("value", "low", "high", "unit", "wanted"),
    [
        (98.456, 97.1, 100.0, "%", "|98.5 %||97.1 to 100.0||n = 9|"),
        (0.456, 0.1, 0.9, "%", "|0.46 %||0.10 to 0.90||n = 9|"),
        (57.1234, 55.0, 59.0, "dB", "|57.1 dB||55.0 to 59.0||n = 9|"),
        (-1.2345, -2.0, 0.5, "dB", "|-1.23 dB||-2.00 to 0.50||n = 9|"),
        (-0.004, -0.03, 0.06, "dB", "|0.00 dB||-0.03 to 0.06||n = 9|"),
        (0.00348, 0.0001, 0.008, "dB", "|0.00 dB||0.00 to 0.01||n = 9|"),
        (0.00697, 0.006, 0.008, "", "|0.00697||0.006 to 0.008||n = 9|"),
        (81.23, 70.0, 99.0, "ms", "|81 ms||70 to 99||n = 9|"),
        (7.123, 7.0, 7.5, "ms", "|7.1 ms||7.0 to 7.5||n = 9|"),
        (3.21234, 3.1, 3.4, "nats", "|3.212 nats||3.100 to 3.400||n = 9|"),
        (24.5, NAN, NAN, "dB", "|24.5 dB||n = 9|"),
    ],
)
def test_digits_suit_the_unit(value, low, high, unit, wanted):
    assert text(Figure("", value, low, high, 9, unit)) == wanted


def test_what_was_not_measured_is_a_dash_with_its_reason():
    nothing = Figure("", NAN, NAN, NAN, 12, "%", lacking="the judge is at chance on true video")
    assert text(nothing, ">= 95 (W3)") == "|–||○ not measured||the judge is at chance on true video||n = 12|"
    assert text(Figure("", 0.0, 0.0, 0.0, 0, "%"), ">= 95") == "|–||○ not measured||n = 0|", "nothing is not 0.00"
    assert "lack" not in text(Figure("", 1.0, 0.0, 2.0, 4, lacking="lack")), "a value needs no excuse"
    assert written_value(Figure("", 1.0, 0.0, 2.0, 4, "%"), NAN) == "–"
