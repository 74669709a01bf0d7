"""What a round tells: a table, a file, a picture; and where the money of its weeks came from and went."""

import json
from io import StringIO
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from rich.console import Console

from tessera.chain import ChainError
from tessera.chain.erc20 import Token
from tessera.chain.prize_pool import PeriodClosed
from tessera.keeper import report
from tessera.keeper.money_flow import MoneyFlow, money_flow
from tessera.keeper.picture import svg
from tessera.model.prizes import period_of
from tests.unit.keeper.conftest import Keeper

USDC = Token("0x0", "USDC", 6)


def text_of(renderable) -> str:
    console = Console(width=80, file=StringIO())
    report.show(renderable, console)
    return console.file.getvalue()


@pytest.fixture
def told(keeper: Keeper) -> dict:
    done = keeper.run()
    return report.of(keeper.view, done)


def test_money_in_is_money_out_to_the_unit(keeper, told):
    (closed,) = (row for row in keeper.rows(PeriodClosed) if row.period == told["money"]["first"])
    money = told["money"]
    assert sum(money["sources"].values()) == sum(money["sinks"].values()) == closed.pool
    assert set(money["sources"]) == {"USDC stakes", "DAI stakes"}
    assert money["sinks"]["buyback"] == closed.buyback
    assert money["sinks"]["carried to the next week"] == closed.carried
    shares = [money["sinks"][name] for name in ("1: Who wins the cup?", "2: Rain?", "3: Snow?")]
    assert shares == [closed.to_events * weight // 230 for weight in (100, 30, 100)]
    assert money["sinks"].get("rounding", 0) == closed.to_events - sum(shares) < 3


def test_the_next_week_has_what_came_back_and_what_sponsors_gave(keeper, world, told):
    world.local.give(world.owner.address, "USDC", 10**6)
    world.local.token("USDC").approve(world.owner, world.prizes.address, 10**6)
    world.prizes.add_revenue(world.owner, 10**6)
    world.friday()
    done = keeper.run()
    money = report.flow_of(keeper.view, done)
    assert money.sources["carried from before"] == told["money"]["sinks"]["carried to the next week"]
    assert money.sources["sponsors"] == 10**6
    # Nothing of the week before is counted again: all that came in since is all that was shared.
    (closed,) = (row for row in keeper.rows(PeriodClosed) if row.period == money.first)
    came = sum(amount for name, amount in money.sources.items() if name != "carried from before")
    assert came == closed.revenue
    assert "later weeks" not in money.sinks
    assert money.sources["events without winners"] == told["money"]["sinks"]["2: Rain?"]
    assert sum(money.sources.values()) == sum(money.sinks.values())


def test_weeks_closed_by_others_are_told_all_the_same(keeper, world):
    world.close()
    first = period_of(world.time) - 1
    keeper.view.history.sync()
    assert money_flow(keeper.view, first, first).total > 30 * 10**6
    assert money_flow(keeper.view, first, first + 1) is None  # the running one is not closed


def test_the_file_comes_back_as_it_was(told, tmp_path):
    path = report.write(told, tmp_path)
    assert report.read(tmp_path) == (path, json.loads(path.read_text())) == report.read(tmp_path, path.stem)
    assert json.loads(path.read_text()) == json.loads(json.dumps(told))
    again = report.write(told, tmp_path)
    assert report.read(tmp_path)[0] == again
    assert path.with_suffix(".svg").exists()


def test_without_a_report_it_says_so(tmp_path):
    with pytest.raises(ChainError, match="no report of a round in"):
        report.read(tmp_path)
    with pytest.raises(ChainError, match="no report round-x in"):
        report.read(tmp_path, "round-x")


def test_the_table_names_steps_money_and_verdict_in_80_columns(told):
    text = text_of(told)
    for wanted in ("harvest USDC", "pay 4 winners of event 1", "DAI stakes", "all that was due is done"):
        assert wanted in text
    assert f"{told['gas_used']:,} gas" in text
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize(("status", "colour"), [("done", "green"), ("left undone", "red"), ("refused", "yellow")])
def test_what_is_done_is_green_and_what_went_wrong_is_red(status, colour):
    assert report._coloured(status).style == colour


def test_the_table_says_what_is_left(keeper, world):
    world.refuse("DAI", world.pool.address)
    done = keeper.run()
    text = text_of(report.of(keeper.view, done))
    assert "pool: vault refused" in text
    assert "something was left undone" in text


def test_nothing_due_is_told_in_a_line(keeper, told):
    done = keeper.run()
    assert "Nothing was due." in text_of(report.as_mapping(done, None, keeper.view.prize_token))


def test_what_strangers_wrote_moves_no_cursor_and_is_no_markup(told):
    """A title with an escape sequence, a turn of direction and a tag of rich's, wherever a report shows it."""
    title, visible = "\x1b[2J[/bold]\u202eRain?", "␛[2J[/bold]<U+202E>Rain?"
    report_ = json.loads(json.dumps(told))
    money = report_["money"]
    money["sinks"] = {f"1: {title}": money["sinks"].pop("1: Who wins the cup?"), **money["sinks"]}
    report_["steps"][0] |= {"what": f"settle {title}", "message": f"because of {title}"}
    report_["plan"]["waiting"] = [f"{title} waits"]
    text = text_of(report_)
    for words in (f"settle {visible}", f"because of {visible}", f"1: {visible}", f"{visible} waits"):
        assert words in text
    assert not {"\x1b", "\u202e"} & set(text)
    picture = svg(MoneyFlow(100, 100, {"a": 1}, {title: 1}), USDC)
    assert visible in "".join(ElementTree.fromstring(picture).itertext())


def bars(picture: str) -> list[tuple[float, float]]:
    """Left edge and height of each bar."""
    renderable = ElementTree.fromstring(picture).iter("{http://www.w3.org/2000/svg}rect")
    return [(float(one.get("x")), float(one.get("height"))) for one in renderable if one.get("class") != "ground"]


def test_the_picture_is_to_scale():
    money = MoneyFlow(100, 100, {"a": 30 * 10**6, "b": 10**7}, {"c": 10**7, "<d> & e": 3 * 10**7})
    heights = [height for _, height in bars(svg(money, USDC))]
    assert heights == [320, 240, 80, 240, 80]
    assert "&lt;d&gt; &amp; e" in svg(money, USDC)
    assert "40.00 USDC" in svg(money, USDC)


def test_the_picture_of_many_events_names_the_largest():
    money = MoneyFlow(100, 101, {"a": 55}, {f"event {number}": number for number in range(1, 11)})
    picture = svg(money, USDC)
    assert len(bars(picture)) == 1 + 1 + 9
    assert "2 more" in picture
    assert "The 2 weeks to " in picture


def test_names_of_small_amounts_stand_apart_and_in_the_picture():
    picture = svg(MoneyFlow(100, 101, {"a": 10**12}, {f"event {number}": 1 for number in range(9)}), USDC)
    root = ElementTree.fromstring(picture)
    names = [text for text in root.iter("{http://www.w3.org/2000/svg}text") if "event" in (text.text or "")]
    lines = sorted(float(text.get("y")) for text in names)
    assert len(lines) == 9
    # A name and the amount below it are two lines of 16.
    assert all(after - before >= 32 for before, after in pairwise(lines))
    assert lines[0] > 0
    assert lines[-1] + 16 < float(root.get("viewBox").split()[3])


def test_the_picture_of_a_week_without_money_is_empty():
    assert len(bars(svg(MoneyFlow(100, 100), USDC))) == 1
