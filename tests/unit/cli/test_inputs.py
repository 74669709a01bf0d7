"""What people type is read exactly, or refused with what is wrong."""

from datetime import UTC, datetime, timedelta

import click
import pytest

from tessera.cli.inputs import ALL, MOST, Address, Money, MoneyOrAll, Share, Time
from tessera.model.units import WAD

SIX_EVENING = int(datetime(2027, 1, 31, 18, tzinfo=UTC).timestamp())
ADDRESS = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"


def refusal_of(kind: click.ParamType, text: str) -> str:
    with pytest.raises(click.BadParameter) as refused:
        kind.convert(text, None, None)
    return refused.value.message


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2027-01-31T18:00", SIX_EVENING),  # bare times are UTC
        ("2027-01-31 18:00", SIX_EVENING),
        ("2027-01-31T18:00Z", SIX_EVENING),
        ("2027-01-31T18:00+02:00", SIX_EVENING - 2 * 3600),
        ("2027-01-31T18:00-05:30", SIX_EVENING + 5 * 3600 + 1800),
        ("2027-01-31T18:00:30+00:00", SIX_EVENING + 30),
        ("2027-01-31", SIX_EVENING - 18 * 3600),
        ("3d", timedelta(days=3)),
        ("12h", timedelta(hours=12)),
        ("90m", timedelta(minutes=90)),
    ],
)
def test_a_time_counts_its_offset(text, at):
    assert Time().convert(text, None, None) == at


@pytest.mark.parametrize("text", ["tomorrow", "999999999999d", "٣d", "", "2027-13-01", "1e9"])
def test_a_time_that_is_none_is_refused(text):
    assert "UTC" in refusal_of(Time(), text)


@pytest.mark.parametrize("text", ["1969-12-31T23:59", "1970-01-01T00:00", "9999-12-31T23:59-23:59"])
def test_a_time_that_is_too_far_is_refused(text):
    assert "before 1970, or after 9999" in refusal_of(Time(), text)


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("12.50", 12_500_000),
        ("0.000001", 1),
        ("007", 7_000_000),
        ("1.100000000", 1_100_000),
        ("12345678901234567890123456789", 12345678901234567890123456789 * 10**6),  # 29 digits
        (str(MOST // 10**6), MOST // 10**6 * 10**6),
    ],
)
def test_an_amount_is_exact(text, units):
    assert Money().convert(text, None, None) == units


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("1,000", "without a separator of thousands"),
        ("1_000", "without a separator of thousands"),
        ("NaN", "say an amount like 12.50"),
        ("inf", "say an amount like 12.50"),
        ("1e999999999", "say an amount like 12.50"),
        ("-1", "say an amount like 12.50"),
        ("٣", "say an amount like 12.50"),
        ("", "say an amount like 12.50"),
        ("all", "say an amount like 12.50"),
        ("0", "more than 0"),
        ("0.0", "more than 0"),
        ("0.0000001", "at most 6 digits"),
        ("9" * 5_000, "more than a contract can count"),
        (str(MOST), "more than a contract can count"),
    ],
)
def test_an_amount_that_is_none_is_refused(text, why):
    assert why in refusal_of(Money(), text)


def test_all_and_nothing_where_they_mean_something():
    assert MoneyOrAll().convert("all", None, None) == ALL
    assert Money(zero=True).convert("0", None, None) == 0


@pytest.mark.parametrize(
    ("text", "share"), [("62%", 62), ("62", 62), ("0.62", 62), ("1", 1), ("0.5", 50), ("99.0%", 99)]
)
def test_a_share_of_the_whole(text, share):
    assert Share("0.01", "0.99").convert(text, None, None) == share * WAD // 100


@pytest.mark.parametrize("text", ["NaN", "nan%", "1e999999999", "0,62", "-5%", "٦٢%", "", "%", "1" * 40])
def test_a_share_that_is_none_is_refused(text):
    assert "say 62% or 0.62" in refusal_of(Share("0.01", "0.99"), text)


@pytest.mark.parametrize("text", ["0.001", "100", "0%", "99.5%"])
def test_a_share_out_of_bounds_is_refused(text):
    assert "between 1% and 99%" in refusal_of(Share("0.01", "0.99"), text)


@pytest.mark.parametrize("text", [ADDRESS, ADDRESS.lower(), f"0x{ADDRESS[2:].upper()}"])
def test_an_address_in_any_case(text):
    assert Address().convert(text, None, None) == ADDRESS


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (ADDRESS.replace("C8", "c8"), "its checksum is wrong"),
        (ADDRESS[:-1], "is not an address"),
        (ADDRESS[2:], "is not an address"),
        ("vitalik.eth", "is not an address"),
    ],
)
def test_an_address_that_is_none_is_refused(text, why):
    assert why in refusal_of(Address(), text)
