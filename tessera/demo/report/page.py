"""The frame of the page: sections of HTML, data for the graphs, style and script, in one file without any request."""

import json
from dataclasses import dataclass
from html import escape
from itertools import groupby
from pathlib import Path
from string import Template

from tessera.chain import EUR

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Head:
    """The top of the page: a title, a sentence, and a few figures with their captions."""

    title: str
    sentence: str
    figures: list[tuple[str, str]]


@dataclass(frozen=True)
class Section:
    """A part of the page, of one product; `body` is HTML. Sections of a product stand together."""

    product: str
    anchor: str
    title: str
    body: str


def assemble(head: Head, sections: list[Section], data: dict) -> str:
    """The whole page. `data` is what page.js draws: anything JSON, no NaN."""
    template = Template((HERE / "page.html").read_text(encoding="utf-8"))
    products = [(product, list(of_it)) for product, of_it in groupby(sections, lambda section: section.product)]
    return template.substitute(
        title=escape(head.title),
        sentence=escape(head.sentence),
        figures="".join(f"<li><b>{escape(value)}</b>{escape(caption)}</li>" for value, caption in head.figures),
        links="".join(f"<p><b>{escape(product)}</b>{''.join(map(_link, of_it))}</p>" for product, of_it in products),
        sections="\n".join(_section(section, first=section is of_it[0]) for _, of_it in products for section in of_it),
        style=(HERE / "page.css").read_text(encoding="utf-8"),
        # "<" cannot end the script element from inside a string.
        data=json.dumps(data, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c"),
        script=(HERE / "page.js").read_text(encoding="utf-8"),
    )


def _link(section: Section) -> str:
    return f'<a href="#{section.anchor}">{escape(section.title)}</a>'


def _section(section: Section, first: bool) -> str:
    """`first` of its product: under the product's name."""
    product = f'<p class="product">{escape(section.product)}</p>' if first else ""
    return f'<section id="{section.anchor}">{product}<h2>{escape(section.title)}</h2>{section.body}</section>'


def money(amount: int) -> str:
    """Units as EUR: "1,234.56"."""
    return f"{amount / EUR:,.2f}"


def gain(amount: int) -> str:
    """Units as a gain or loss, coloured HTML: "+1.20", "−0.50"."""
    kind = "up" if amount > 0 else "down" if amount < 0 else "even"
    sign = "+" if amount > 0 else "−" if amount < 0 else ""
    return f'<span class="{kind}">{sign}{abs(amount) / EUR:,.2f}</span>'


def cents(per_euro: float) -> str:
    """A gain per euro as coloured HTML: "+3.1 c"."""
    kind, sign = ("up", "+") if per_euro > 0 else ("down", "−")
    return f'<span class="{kind}">{sign}{abs(per_euro) * 100:.1f} c</span>'


def percent(share: float, digits: int = 0) -> str:
    """A share of 1: "46 %"."""
    return f"{share * 100:.{digits}f} %"
