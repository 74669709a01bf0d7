"""bets.ini: what it may say, what it lacks, and how its faults are named."""

from pathlib import Path

import pytest

from tessera.host.bets_file import ALLOWED, FileError, edge_of, read_bets

BARE = Path(__file__).with_name("bare.ini").read_text()
DECIMALS = 6
UNIT = 10**DECIMALS
SOMEBODY = "0x" + "ab" * 20


@pytest.fixture
def read(tmp_path):
    def write_and_read(text: str, **defaults: str):
        path = tmp_path / "bets.ini"
        path.write_text(text)
        return read_bets(path, decimals=DECIMALS, defaults={"panel": "7"} | defaults)

    return write_and_read


@pytest.fixture
def bet(read):
    """One bet, with some lines more or instead."""

    def made(**lines: str):
        fields = {"desc": "A wins on B", "predictions": "[win,loss]", "range": "[1, 100]"} | lines
        return read("[bets:0]\n" + "".join(f"{key} = {value}\n" for key, value in fields.items() if value))[0]

    return made


def test_the_bare_file_works_as_it_stands(read):
    first, second = read(BARE)
    assert (first.number, first.description) == (0, "A wins on B")
    assert (second.number, second.description) == (1, "B wins on C")
    for bet in (first, second):
        assert bet.predictions == ("win", "loss")
        assert (bet.min_stake, bet.max_stake) == (UNIT, 100 * UNIT)
        assert (bet.host_bps, bet.validator_bps, bet.panel_id) == (500, 500, 7)
        assert (bet.odds, bet.closes_at, bet.admitted, bet.bankroll) == ((), None, None, 0)
    assert first.salt != second.salt


def test_a_file_of_windows_is_read(tmp_path):
    path = tmp_path / "bets.ini"
    path.write_bytes(b"\xff\xfe" + BARE.replace("\n", "\r\n").encode("utf-16-le"))
    assert len(read_bets(path, decimals=DECIMALS, defaults={"panel": "7"})) == 2


def test_what_a_section_lacks_comes_from_bets_and_then_from_the_command_line(read):
    text = BARE.replace("[bets]\n", "[bets]\npanel = 3\ncommission = 1%, 2.5%\n") + "panel = 0x4\n"
    first, second = read(text, panel="9")
    assert (first.panel_id, first.host_bps, first.validator_bps) == (3, 100, 250)
    assert second.panel_id == 4


@pytest.mark.parametrize("kind", ["odds_based", "odd_based", ""])
def test_odds_are_in_the_order_of_predictions(bet, kind):
    found = bet(type=kind, odds="80%, 110%", bankroll="2500.5")
    assert found.odds == (800, 1_100)
    assert (found.host_bps, found.validator_bps, found.bankroll) == (0, 100, 2_500_500_000)
    assert bet(type=kind, odds="(80%, 110.0 %)", bankroll="2500.5").odds == found.odds


# 31/12/2026 18:30:00 UTC by `date -u -d`.
@pytest.mark.parametrize(
    "time", ["31/12/2026:00/30/18", "2026-12-31T18:30", "2026-12-31 18:30:00", "2026-12-31T20:30+02:00"]
)
def test_times_are_utc_unless_they_say_otherwise(bet, time):
    assert bet(time_lapse=time).closes_at == 1_798_741_800


def test_the_salt_is_of_the_bet_not_of_its_place_nor_of_whom_it_admits(read, bet):
    moved = BARE.replace("bets:0", "bets:7")
    assert {found.description: found.salt for found in read(moved)} == {
        found.description: found.salt for found in read(BARE)
    }
    plain = bet(odds="80%, 110%").salt
    assert bet(odds="80%, 110%", bankroll="5").salt == plain
    one, two = (bet(odds="80%, 110%", private=", ".join([SOMEBODY] * times)) for times in (1, 2))
    assert one.salt == two.salt != plain


@pytest.mark.parametrize(
    "changed",
    [
        {"desc": "A wins on C"},
        {"predictions": "[loss,win]"},
        {"range": "[1, 101]"},
        {"odds": "80%, 110.1%"},
        {"time_lapse": "2026-12-31T18:30"},
        {"panel": "8"},
        {"commission": "0%, 1.01%"},
    ],
)
def test_another_content_is_another_salt(bet, changed):
    fields = {"odds": "80%, 110%"}
    assert bet(**fields | changed).salt != bet(**fields).salt


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("desc", "x" * 257),
        ("desc", "\u202eevil"),
        ("predictions", "[win]"),
        ("predictions", "[win,win]"),
        ("predictions", f"[{','.join(map(str, range(17)))}]"),
        ("predictions", "[win,]"),
        ("predictions", "[win,invalid]"),
        ("predictions", f"[win,{'x' * 65}]"),
        ("range", "[0, 100]"),
        ("range", "[100, 1]"),
        ("range", "[1,000, 100]"),
        ("range", "[1e3, 1e4]"),
        ("range", "100"),
        ("type", "lottery"),
        ("odds", "80%, 0%"),
        ("odds", "80%, 6553.6%"),
        ("odds", "80%, 1.23%"),
        ("time_lapse", "tomorrow"),
        ("time_lapse", "31/02/2027:00/30/18"),
        ("private", "yes"),
        ("private", "0x" + "00" * 20),
        ("panel", "-1"),
        ("panel", "first"),
        ("commission", "5%"),
        ("commission", "5%, 10.01%"),
        ("bankroll", "-5"),
        ("allow_loss", "maybe"),
    ],
)
def test_a_fault_names_section_key_and_what_is_allowed(bet, key, value):
    with pytest.raises(FileError) as error:
        bet(**{key: value})
    assert error.value.faults == [f"[bets:0] {key} = {value}: not allowed; it is {ALLOWED[key]}"]


def test_what_is_missing_or_unknown_is_named(read):
    with pytest.raises(FileError) as error:
        read("[bets]\nwho = me\n[bets:0]\ndesc = x\nrange = [1, 2]\nfee = 3\n[bet:1]\ndesc = y\n")
    missing, unknown = f"predictions is missing: {ALLOWED['predictions']}", f"is unknown: {', '.join(ALLOWED)}"
    assert set(error.value.faults) == {
        f"[bets] who {unknown}",
        f"[bets:0] {missing}",
        f"[bets:0] who {unknown}",
        f"[bets:0] fee {unknown}",
        "[bet:1] is no section of bets: [bets] has defaults, [bets:0] is a bet",
    }


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        ({"odds": "80%"}, "[bets:0] odds: 1 for 2 predictions, one for each"),
        ({"odds": "80%, 90%", "type": "prorata"}, "[bets:0] odds: a bet of type prorata has none"),
        ({"type": "odds_based"}, "[bets:0] odds: 0 for 2 predictions, one for each"),
        ({"bankroll": "5"}, "[bets:0] bankroll: a bet of type prorata has none"),
        (
            {"odds": "80%, 80%", "commission": "1%, 1%"},
            "[bets:0] commission: with odds the host's is 0%, it keeps what the odds leave",
        ),
        ({"range": "[0.0000001, 1]"}, "[bets:0] range and bankroll: the token has 6 decimals"),
        ({"range": f"[1, {2**84}]"}, f"[bets:0] range: the greatest stake is at most {(2**84 - 1) // UNIT} tokens"),
    ],
)
def test_what_does_not_go_together_is_named(bet, lines, fault):
    with pytest.raises(FileError) as error:
        bet(**lines)
    assert error.value.faults == [fault]


def test_odds_at_which_a_balanced_book_loses_are_refused(bet):
    """80 % and 110 % with 5 %: 1/1.8 + 1/2.1 = 1.0317 is less than 1/0.95 = 1.0526."""
    losing = {"odds": "80%, 110%", "commission": "0%, 5%"}
    with pytest.raises(FileError, match=r"odds: a balanced book keeps -1\.92% of all stakes"):
        bet(**losing)
    assert bet(**losing, allow_loss="yes").edge == pytest.approx(0.95 - 1 / (1 / 1.8 + 1 / 2.1))
    assert bet(odds="80%, 110%").edge == pytest.approx(0.99 - 1 / (1 / 1.8 + 1 / 2.1))
    assert edge_of((1_000, 1_000), 0) == 0
    with pytest.raises(FileError, match=r"odds: a balanced book keeps 0\.00% of all stakes"):
        bet(odds="100%, 100%", commission="0%, 0%")


def test_one_bet_under_two_numbers_is_refused(read):
    with pytest.raises(FileError, match=r"\[bets:1\] is the same bet as \[bets:0\]"):
        read(BARE.replace("B wins on C", "A wins on B"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[bets]\n", "has no bet: the first is in a section"),
        ("", "has no bet"),
        ("desc = x\n", "contains no section headers"),
        ("[bets:0]\n[bets:0]\n", "section 'bets:0' already exists"),
    ],
)
def test_a_file_without_bets_or_structure_is_refused(read, text, words):
    with pytest.raises(FileError, match=words):
        read(text)


def test_augur_1081_manifold_3818_a_times_offset_counts(bet):
    """There betting stays open after the result, since an offset is dropped."""
    closes_at = bet(time_lapse="2026-12-31T18:30").closes_at
    assert bet(time_lapse="2026-12-31T18:30Z").closes_at == closes_at
    assert bet(time_lapse="2026-12-31T18:30+02:00").closes_at == closes_at - 7_200
    assert bet(time_lapse="2026-12-31T18:30-05:00").closes_at == closes_at + 18_000
