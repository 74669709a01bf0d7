"""What others link to: a market's preview, a feed, a calendar; and what goes to the group's chat."""

import asyncio
import email
import json
import socket
from io import BytesIO
from threading import Event
from xml.etree import ElementTree

import feedgenerator
import httpx
import icalendar
import pytest
from PIL import Image
from requests import Response
from uvicorn import Config, Server

from tessera.chain import WAD, Outcome, Terms
from tessera.chain.lmsr_markets import MarketCreated
from tessera.club.connections import bounded
from tessera.club.messages import Messenger, inert, notifier
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


def test_who_waits_for_a_picture_keeps_nobody_else_waiting(world, synced, monkeypatch):
    # They waited with a thread each, of which there are forty: where a club has more markets than pictures are kept,
    # two addresses that ask for them in turn had all of them, and friends waited for every answer.
    drawing, drawn = Event(), Event()

    def draw(*_) -> bytes:
        drawing.set()
        assert drawn.wait(30)
        return b"picture"

    monkeypatch.setattr("tessera.club.links.picture_of", draw)

    async def ask() -> tuple[int, set[bytes]]:
        transport = httpx.ASGITransport(world.client.app)
        async with httpx.AsyncClient(transport=transport, base_url=URL) as friend:
            clients = [
                httpx.AsyncClient(transport=httpx.ASGITransport(world.client.app, client=(f"192.0.2.{number}", 1)))
                for number in range(3)
            ]
            asked = [asyncio.create_task(client.get(f"{URL}/m/{synced}.png")) for client in clients for _ in range(20)]
            try:
                while not drawing.is_set():
                    await asyncio.sleep(0.01)
                async with asyncio.timeout(10):
                    status = (await friend.get("/club")).status_code
            finally:
                drawn.set()
            return status, {answer.content for answer in await asyncio.gather(*asked)}

    assert asyncio.run(ask()) == (200, {b"picture"})


def test_programs_that_ask_for_the_head_alone_get_it(world, synced):
    # 405: for who watches whether a club is there, it was away, and for a chat that looks before it reads, its links.
    async def ask(path: str) -> tuple[int, str, bytes]:
        config = Config(world.client.app, http=bounded(10, []), ws="none", lifespan="off", log_level="error", port=0)
        server = Server(config)
        with socket.create_server(("127.0.0.1", 0)) as opened:
            serving = asyncio.create_task(server.serve(sockets=[opened]))
            reader, writer = await asyncio.open_connection(*opened.getsockname())
            writer.write(f"HEAD {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
            async with asyncio.timeout(20):
                head, _, body = (await reader.read()).partition(b"\r\n\r\n")
            writer.close()
            server.should_exit = True
            await serving
        kind = next(line for line in head.decode().lower().split("\r\n") if line.startswith("content-type"))
        return int(head.split()[1]), kind.partition(": ")[2].partition(";")[0], body

    assert asyncio.run(ask("/")) == (200, "text/html", b"")
    assert asyncio.run(ask(f"/m/{synced}")) == (200, "text/html", b"")
    assert asyncio.run(ask(f"/m/{synced}.png")) == (200, "image/png", b"")
    assert asyncio.run(ask("/events")) == (405, "application/json", b"")  # it would never end


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


def test_the_calendar_says_when_a_result_is_expected_until_there_is_one(world, creator, travel):
    # It went from calendars when the last bets were in, while everybody waited for it.
    now = world.web3.eth.get_block("latest")["timestamp"]
    world.tessera.markets.create_market(
        creator, TERMS, p0=WAD // 2, expected_result_at=now + 2 * HOUR, closes_at=now + HOUR, dispute_window=WINDOW
    )
    travel(HOUR + 60)
    world.node.index.sync()
    text = world.client.get("/calendar.ics").text
    dates = {str(event["summary"]): event.start.timestamp() for event in icalendar.Calendar.from_ical(text).events}
    assert dates["Result expected: Will it rain?"] == now + 2 * HOUR
    travel(HOUR)
    world.tessera.markets.propose(creator, 1, Outcome.YES)
    world.node.index.sync()
    assert "BEGIN:VEVENT" not in world.client.get("/calendar.ics").text


def test_feed_and_calendar_are_made_once_a_block_whoever_asks(world, synced, creator, monkeypatch):
    # Each asks the database of every market, and a stranger had them made as often as requests are allowed.
    made = []
    feed, calendar = feedgenerator.Atom1Feed, icalendar.Calendar
    monkeypatch.setattr("feedgenerator.Atom1Feed", lambda *asked, **more: made.append("feed") or feed(*asked, **more))
    monkeypatch.setattr("icalendar.Calendar", lambda: made.append("calendar") or calendar())
    paths = ("/atom.xml", "/calendar.ics")
    first = [world.client.get(path).text for path in paths * 3]
    assert first == first[:2] * 3
    assert made == ["feed", "calendar"]
    opened(world, creator)
    world.node.index.sync()
    assert [text.count("Will it rain?") for text in first[:2]] == [2, 2]
    assert [world.client.get(path).text.count("Will it rain?") for path in paths * 3] == [4, 4] * 3
    assert made == ["feed", "calendar"] * 2


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


# A service of each kind that reads markup or calls people by itself, and of each of Apprise's formats.
SERVICES = {
    "Discord": "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js/",
    "Discord, embedded": "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js/?format=markdown&fields=yes",
    "Mattermost": "mmost://localhost/3ccdd113474722377935511fc85d3dd4",
    "Mattermost, Markdown": "mmost://localhost/3ccdd113474722377935511fc85d3dd4?format=markdown",
    "Slack": "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#club",
    "Slack, Markdown": "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#club?format=markdown",
    "Slack, text": "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#club?format=text&blocks=yes",
    "Telegram, HTML": "tgram://123456789:abcdefg_hijklmnop/12315544/?format=html",
    "Telegram, Markdown": "tgram://123456789:abcdefg_hijklmnop/12315544/?format=markdown&mdv=2",
    "Telegram, text": "tgram://123456789:abcdefg_hijklmnop/12315544/?format=text",
    "Matrix, HTML": "matrix://token@localhost/?mode=slack&format=html",
    "Matrix, Markdown": "matrix://token@localhost/?mode=matrix&format=markdown",
    "Rocket.Chat": "rocket://a:b@localhost/#club?mode=webhook&webhook=aaaa/bbbb",
    "Google Chat": "gchat://workspace/key/token",
    "Webex": "wxteams://abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcd/",
    "Zulip": "zulip://bot@org/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/",
    "Ntfy, Markdown": "ntfy://localhost/club?format=markdown",
    "Gotify, Markdown": "gotify://localhost/aaaaaaaaaaaaaaa?format=markdown",
    "JSON": "json://localhost",
    "XML": "xml://localhost",
    "a form": "form://localhost",
    "mail, HTML": "mailto://club:secret@localhost?to=group@club.example&format=html",
    "mail, text": "mailto://club:secret@localhost?to=group@club.example&format=text",
}
NASTY = (
    "Who wins [your winnings](https://evil.example)? ![](https://evil.example/a.png) @everyone @here @channel @all "
    "<!channel> <!here|x> <@U123> <@&4> <#C1> <users/all> @**all** <https://evil.example|club> "
    '<a href="https://evil.example">club</a> &lt;b&gt; **a** __b__ ~~c~~ ||d|| `e` #topic \\[f]'
)
# What some service would take for a link under other words, for markup or for a call to people.
ACTIVE = (
    "](", "@everyone", "@here", "@channel", "@all", "<!", "<@", "<#", "<users", "@**", "|club", "<a ", "**", "__", "~~",
    "||", "`", "#topic", "![",
)  # fmt: skip


@pytest.fixture
def handed_over(tmp_path, monkeypatch):
    """`handed_over(url, text)`: all that a service of this URL sends for a message, as it is read there."""

    def send(url: str, text: str) -> str:
        sent: list[str] = []

        def post(*_, data=None, json=None, params=None, **__) -> Response:
            sent.extend(str(part) for part in (data, json, params) if part)
            answer = Response()
            answer.status_code, answer._content = 200, b'{"ok": true, "room_id": "!a", "joined_rooms": ["!a"]}'
            return answer

        class Post:
            def __init__(self, *_, **__):
                pass

            def __getattr__(self, name):
                return lambda *asked, **__: name == "sendmail" and sent.append(asked[2])

        for method in ("post", "put", "get", "request"):
            monkeypatch.setattr(f"requests.{method}", post)
        monkeypatch.setattr("smtplib.SMTP", Post)
        monkeypatch.setattr("smtplib.SMTP_SSL", Post)
        file = tmp_path / "services"
        file.write_text(f"{url}\n")
        notifier(file)("Club", text)
        whole = "\n".join(sent)
        if "Content-Transfer-Encoding" in whole:
            parts = [part.get_payload(decode=True) for part in email.message_from_string(whole).walk()]
            return "\n".join(part.decode() for part in parts if part)
        return whole.encode().decode("unicode_escape").encode("utf-16", "surrogatepass").decode("utf-16")

    return send


@pytest.mark.parametrize("name", SERVICES)
def test_a_question_is_no_link_no_markup_and_no_call_to_people_in_any_service(handed_over, name):
    # In Discord and Mattermost `[text](url)` was a link under other words, and `@everyone` rang every phone.
    plain = handed_over(SERVICES[name], "A new market:\nquestion\nhttps://club.example/m/7")
    assert "question" in plain
    said = handed_over(SERVICES[name], f"A new market:\n{inert(NASTY)}\nhttps://club.example/m/7")
    for sign in ACTIVE:
        assert said.count(sign) == plain.count(sign), sign
    assert "https://evil" in said.replace("\\", "")  # where a link leads is said


def test_words_without_signs_are_said_as_they_are():
    assert inert("Does Spain (men's) beat England 2:1, 50 % or more? Ja, Größe!") == (
        "Does Spain (men's) beat England 2:1, 50 % or more? Ja, Größe!"
    )
    assert not set("<>[]`*_~|\\&@#") & set(inert(NASTY))
    assert len(inert(NASTY)) == len(NASTY)


def test_refuses_a_file_of_services_with_a_mistake_and_names_the_line(tmp_path):
    file = tmp_path / "services"
    file.write_text("# ours\njson://127.0.0.1:9/\nnonsense\n")
    with pytest.raises(Exception, match=r"line 3: no address that Apprise knows"):
        notifier(file)
