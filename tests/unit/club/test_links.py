"""What others link to: a market's preview, a feed, a calendar; and what goes to the group's chat."""

import json
from io import BytesIO
from xml.etree import ElementTree

import icalendar
import pytest
from PIL import Image
from requests import Response

from tessera.chain import WAD, Outcome, Terms
from tessera.chain.lmsr_markets import MarketCreated
from tessera.club.messages import Messenger, notifier
from tests.embedded_club import HOUR, TERMS, WINDOW
from tests.unit.club.conftest import URL, refusal


@pytest.fixture
def synced(world, market):
    """A market that the index has read."""
    world.node.index.sync()
    return market


def test_a_link_shows_the_question_and_the_odds_and_leads_on(world, synced):
    page = world.client.get(f"/m/{synced}").text
    assert '<meta property="og:title" content="Will it rain?">' in page
    assert 'content="YES 40 %, NO 60 %.' in page
    assert f'content="{URL}/m/{synced}.png?p=400"' in page
    assert f'content="0; url={URL}/#/markets/{synced}"' in page


def test_a_question_is_text_and_never_markup(world, creator):
    now = world.web3.eth.get_block("latest")["timestamp"]
    nasty = Terms('"><script>alert(1)</script>\u202e', "a", "b", "c", "d")
    created = world.tessera.markets.create_market(
        creator, nasty, p0=WAD // 2, expected_result_at=now + 3600, dispute_window=60
    )
    world.node.index.sync()
    page = world.client.get(f"/m/{created.event(MarketCreated).market_id}").text
    assert "<script" not in page
    assert "\u202e" not in page


def test_the_picture_is_drawn_once_a_price(world, synced, bet, bettor, monkeypatch):
    drawn = []
    from tessera.club import links

    draw = links.picture_of
    monkeypatch.setattr(links, "picture_of", lambda *asked: drawn.append(asked) or draw(*asked))
    first = world.client.get(f"/m/{synced}.png")
    assert first.headers["content-type"] == "image/png"
    assert Image.open(BytesIO(first.content)).size == (1200, 630)
    assert world.client.get(f"/m/{synced}.png").content == first.content
    bet(bettor, synced, Outcome.YES)
    world.node.index.sync()
    assert world.client.get(f"/m/{synced}.png").content != first.content
    assert len(drawn) == 2


def test_refuses_a_link_to_no_market(world, synced):
    assert refusal(world.client.get("/m/99")) == (404, "no_market")
    assert refusal(world.client.get("/m/99.png")) == (404, "no_market")
    assert refusal(world.client.get("/m/abc")) == (422, "bad_request")


def test_the_feed_has_markets_and_results_and_nobodys_name(world, synced, settle, bet, bettor, creator):
    bet(bettor, synced, Outcome.YES)
    settle(synced, Outcome.YES)
    world.node.index.sync()
    text = world.client.get("/atom.xml").text
    titles = [title.text for title in ElementTree.fromstring(text).iter("{http://www.w3.org/2005/Atom}title")]
    assert titles[1:] == [f"{what}: Will it rain?" for what in ("Ended YES", "Proposed YES", "New market")]
    assert bettor.address not in text
    assert creator.address not in text


def test_the_calendar_has_closing_times(world, synced):
    calendar = icalendar.Calendar.from_ical(world.client.get("/calendar.ics").text)
    market = world.tessera.markets.market(synced)
    dates = {str(event["summary"]): event.start.timestamp() for event in calendar.walk("VEVENT")}
    assert dates == {
        "Last bets: Will it rain?": market.closes_at,
        "Result expected: Will it rain?": market.expected_result_at,
    }


def opened(world, creator) -> int:
    """A new market, open for an hour."""
    now = world.web3.eth.get_block("latest")["timestamp"]
    created = world.tessera.markets.create_market(
        creator, TERMS, p0=WAD // 2, expected_result_at=now + HOUR, dispute_window=WINDOW
    )
    return created.event(MarketCreated).market_id


@pytest.fixture
def group(world):
    """A messenger and what it sent; `taken` says whether the service takes it."""

    class Service(list):
        taken = True

        def __call__(self, title: str, text: str) -> bool:
            if self.taken:
                self.append(text)
            return self.taken

    service = Service()
    return Messenger(world.node.settings, world.node.index, world.node.store, service), service


def test_the_group_hears_of_markets_and_results_once_and_of_nobody(world, group, creator, bettor, bet, settle):
    messenger, service = group
    world.node.index.sync()
    assert messenger.look() == 0  # what was before is no news
    market = opened(world, creator)
    bet(bettor, market, Outcome.YES)
    settle(market, Outcome.YES)
    world.node.index.sync()
    assert messenger.look() == 3
    assert [text.split(",")[0].split(":")[0] for text in service] == ["A new market", "It ended YES", "It ended YES"]
    assert all(text.endswith(f"\nWill it rain?\n{URL}/m/{market}") for text in service)
    assert not any(who.address in text for text in service for who in (creator, bettor))
    assert messenger.look() == 0
    again = Messenger(world.node.settings, world.node.index, world.node.store, service)
    assert again.look() == 0


def test_what_nobody_took_is_said_later(world, group, creator):
    messenger, service = group
    world.node.index.sync()
    messenger.look()
    opened(world, creator)
    world.node.index.sync()
    service.taken = False
    assert messenger.look() == 0
    service.taken = True
    assert messenger.look() == 1


def test_a_question_is_no_markup_in_a_chat_and_holds_no_later_message_up(tmp_path, monkeypatch):
    # Telegram refuses HTML that it does not understand, and a message that is refused is tried for ever: a member who
    # asks whether 1 < 2 would keep the group from hearing of disputes, and one who writes a link would make it the
    # club's own.
    sent = []

    def post(_, **request) -> Response:
        sent.append(json.loads(request["data"])["text"])
        answer = Response()
        answer.status_code, answer._content = 200, b'{"ok": true}'
        return answer

    monkeypatch.setattr("requests.post", post)
    file = tmp_path / "services"
    file.write_text("tgram://123456789:abcdefg_hijklmnop/12315544/\n")
    assert notifier(file)("Club", 'A new market:\n1 < 2? <a href="https://evil.example">Your winnings</a>')
    [text] = sent
    assert "1 &lt; 2?" in text
    assert "<a" not in text


def test_refuses_a_file_of_services_with_a_mistake_and_names_the_line(tmp_path):
    file = tmp_path / "services"
    file.write_text("# ours\njson://127.0.0.1:9/\nnonsense\n")
    with pytest.raises(Exception, match=r"line 3: no address that Apprise knows"):
        notifier(file)
