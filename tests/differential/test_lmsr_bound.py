"""The numbers of docs/lmsr-error-bound.md, proved anew: `_wad_exp` and `_wad_ln` written once, read three ways.

`wad_exp` and `wad_ln` below are snekmate 0.1.2's and what follows them is contracts/modules/lmsr.vy, statement by
statement. Run on integers they must agree with the bytecode to the last bit. Run on `Poly` they give the exact
polynomials P and Q, whose distance from e^t and ln m is enclosed by interval arithmetic and a bound on its slope. Run
on `Tracked` they give an enclosure of what every cut to whole units can add up to. No bound here is a sample.
"""

import random
import re
from dataclasses import dataclass
from decimal import ROUND_UP, Context
from fractions import Fraction
from functools import cache
from itertools import product
from math import comb
from pathlib import Path

from mpmath.ctx_iv import MPIntervalContext

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "lmsr-error-bound.md"
MODULE = ROOT / "contracts" / "modules" / "lmsr.vy"
WAD = 10**18

iv = MPIntervalContext()
iv.dps = 60
ONE_UNIT = iv.mpf([-1, 1])
PIECES = 512

SEED = 10  # EUR
STAKE = 1  # EUR, the least
MOST_STAKE = 100  # EUR
WIDEST = 2**190  # no |gap| is as wide
RNG_SEED = 20240614


# snekmate 0.1.2, utils/math.vy

LN2_96 = 54_916_777_467_707_473_351_141_471_128
EXP_SCALE = 3_822_833_074_963_236_453_042_738_258_902_158_003_155_416_615_667
EXP_ZERO_UP_TO = -41_446_531_673_892_822_313
LN_SCALE = 1_677_202_110_996_718_588_342_820_967_067_443_963_516_166
LN2_174 = 16_597_577_552_685_614_221_487_285_958_193_947_469_193_820_559_219_878_177_908_093_499_208_371
LN_OFFSET = 600_920_179_829_731_861_736_702_779_321_621_459_595_472_258_049_074_101_567_377_883_020_018_308


def exp_p(x):
    y = ((x + 1_346_386_616_545_796_478_920_950_773_328) * x >> 96) + 57_155_421_227_552_351_082_224_309_758_442
    p = (y + x + -94_201_549_194_550_492_254_356_042_504_812) * y >> 96
    return (p + 28_719_021_644_029_726_153_956_944_680_412_240) * x + (
        4_385_272_521_454_847_904_659_076_985_693_276 << 96
    )


def exp_q(x):
    q = ((x + -2_855_989_394_907_223_263_936_484_059_900) * x >> 96) + 50_020_603_652_535_783_019_961_831_881_945
    q = (q * x >> 96) + -533_845_033_583_426_703_283_633_433_725_380
    q = (q * x >> 96) + 3_604_857_256_930_695_427_073_651_918_091_429
    q = (q * x >> 96) + -14_423_608_567_350_463_180_887_372_962_807_573
    return (q * x >> 96) + 26_449_188_498_355_588_339_934_803_723_976_023


def ln_p(x):
    p = ((x + 3_273_285_459_638_523_848_632_254_066_296) * x >> 96) + 24_828_157_081_833_163_892_658_089_445_524
    p = (p * x >> 96) + 43_456_485_725_739_037_958_740_375_743_393
    p = (p * x >> 96) + -11_111_509_109_440_967_052_023_855_526_967
    p = (p * x >> 96) + -45_023_709_667_254_063_763_336_534_515_857
    p = (p * x >> 96) + -14_706_773_417_378_608_786_704_636_184_526
    return p * x + (-795_164_235_651_350_426_258_249_787_498 << 96)


def ln_q(x):
    q = ((x + 5_573_035_233_440_673_466_300_451_813_936) * x >> 96) + 71_694_874_799_317_883_764_090_561_454_958
    q = (q * x >> 96) + 283_447_036_172_924_575_727_196_451_306_956
    q = (q * x >> 96) + 401_686_690_394_027_663_651_624_208_769_553
    q = (q * x >> 96) + 204_048_457_590_392_012_362_485_061_816_622
    q = (q * x >> 96) + 31_853_899_698_501_571_402_653_359_427_138
    return (q * x >> 96) + 909_429_971_244_387_300_277_376_558_375


def towards_zero(p: int, q: int) -> int:
    return p // q if p * q >= 0 else -(-p // q)


def wad_exp(x: int) -> int:
    if x <= EXP_ZERO_UP_TO:
        return 0
    x = towards_zero(x << 78, 5**18)
    k = towards_zero(x << 96, LN2_96) + 2**95 >> 96
    x -= k * LN2_96
    return towards_zero(exp_p(x), exp_q(x)) * EXP_SCALE >> 195 - k


def wad_ln(x: int) -> int:
    k = x.bit_length() - 97
    x = (x << 159 - k) >> 159
    return towards_zero(ln_p(x), ln_q(x)) * LN_SCALE + k * LN2_174 + LN_OFFSET >> 174


# contracts/modules/lmsr.vy


def opening(p0: int, seed: int) -> tuple[int, int]:
    low = min(p0, WAD - p0)
    b = seed * WAD // (1 - wad_ln(low))
    return b, b * (wad_ln((WAD - low) * WAD // low) - 1) // WAD if 2 * low != WAD else 0


def buy(b: int, gap: int, stake: int) -> tuple[int, int]:
    grown = wad_exp(word(stake * WAD) // b)
    lesser = wad_exp(-1 - word(abs(gap) * WAD) // b)
    other = lesser if gap <= 0 else WAD
    both = word((WAD + lesser) * grown)
    ln = wad_ln(both // WAD - other) - 1
    shares = word(word(max(gap, 0) * WAD) + word(b * ln)) // WAD
    return shares, WAD - word(other * WAD * WAD) // both


def word(n: int) -> int:
    """What an unsafe operation gives if it does not wrap."""
    assert -(2**255) <= n < 2**255
    return n


def price(b: int, gap: int) -> int:
    favourite = WAD * WAD // (WAD + wad_exp(-(abs(gap) * WAD // b)))
    return favourite if gap <= 0 else WAD - favourite


# The same statements, on polynomials and on enclosures of the error


@dataclass(frozen=True)
class Poly:
    """A polynomial with exact coefficients, the constant first; `>>` divides without cutting."""

    terms: tuple[Fraction, ...]

    def __add__(self, other):
        other = _poly(other)
        size = max(len(self.terms), len(other.terms))
        a, b = (p.terms + (Fraction(),) * (size - len(p.terms)) for p in (self, other))
        return Poly(tuple(x + y for x, y in zip(a, b, strict=True)))

    def __mul__(self, other):
        other = _poly(other)
        terms = [Fraction()] * (len(self.terms) + len(other.terms) - 1)
        for i, a in enumerate(self.terms):
            for j, b in enumerate(other.terms):
                terms[i + j] += a * b
        return Poly(tuple(terms))

    def __rshift__(self, bits):
        return self * Fraction(1, 2**bits)

    def __sub__(self, other):
        return self + other * -1

    def slope(self):
        return Poly(tuple(i * a for i, a in enumerate(self.terms) if i))

    def around(self, centre: Fraction):
        """The same polynomial in the distance from `centre`."""
        powers = [centre**i for i in range(len(self.terms))]
        return Poly(
            tuple(
                sum((a * comb(i, k) * powers[i - k] for i, a in enumerate(self.terms) if i >= k), Fraction())
                for k in range(len(self.terms))
            )
        )

    def __call__(self, at: Fraction):
        return sum((a * at**i for i, a in enumerate(self.terms)), Fraction())


@dataclass(frozen=True)
class Tracked:
    """Enclosures of an exact value and of how far the computed one is above it; `>>` cuts to whole units."""

    value: iv.mpf
    error: iv.mpf

    def __add__(self, other):
        other = _tracked(other)
        return Tracked(self.value + other.value, self.error + other.error)

    def __mul__(self, other):
        error = self.value * other.error + other.value * self.error + self.error * other.error
        assert abs(self.value * other.value + error).b < 2**255  # the unsafe operations of the source do not wrap
        return Tracked(self.value * other.value, error)

    def __rshift__(self, bits):
        return Tracked(self.value / 2**bits, self.error / 2**bits + iv.mpf([-1, 0]))

    def __truediv__(self, other):
        """Divide and cut towards zero."""
        value = self.value / other.value
        return Tracked(value, (self.error - value * other.error) / (other.value + other.error) + ONE_UNIT)


def _poly(x):
    return x if isinstance(x, Poly) else Poly((Fraction(x),))


def _tracked(x):
    return x if isinstance(x, Tracked) else Tracked(iv.mpf(x), iv.mpf(0))


def _iv(x: Fraction):
    return iv.mpf(x.numerator) / iv.mpf(x.denominator)


def enclose(value, numerator: Poly, denominator: Poly, low: Fraction, high: Fraction):
    """Enclose a function on [low, high] whose slope is numerator / denominator.

    On each piece: its value at the centre, give or take half the width times the greatest slope. That is bounded by the
    absolute terms of the polynomials around the centre, which also shows that the denominator has no zero there.
    """
    half = (high - low) / PIECES / 2
    bounds_found = []
    for i in range(PIECES):
        centre = low + half * (2 * i + 1)
        up, down = (p.around(centre).terms for p in (numerator, denominator))
        greatest = sum(abs(a) * half**k for k, a in enumerate(up))
        least = 2 * abs(down[0]) - sum(abs(a) * half**k for k, a in enumerate(down))
        assert least > 0
        bounds_found.append(value(centre) + ONE_UNIT * _iv(half * greatest / least))
    return hull(bounds_found)


def tracked_quotients(p, q, low: Fraction, high: Fraction):
    """The computed p / q, cut to units of 2**-96, on each piece of [low, high]."""
    width = (high - low) / PIECES
    for i in range(PIECES):
        x = iv.mpf([_iv(low + width * i).a, _iv(low + width * (i + 1)).b])
        yield p(Tracked(x * 2**96, iv.mpf(0))) / q(Tracked(x * 2**96, iv.mpf(0)))


# What follows from them: the numbers of the page

T = Poly((Fraction(0), Fraction(1)))


def exp_rational():
    """ln(s P(t) / Q(t)) - t for |t| <= ln(2) / 2 + 2**-95: the relative error of the rational approximation."""
    half = Fraction(34_657_359_029, 10**11)
    assert _iv(half) > iv.log(2) / 2 + iv.mpf(2) ** -95
    p, q = exp_p(T * 2**96) >> 192, exp_q(T * 2**96) >> 96
    scale = Fraction(EXP_SCALE, 2**99 * WAD)
    slope = p.slope() * q - p * q.slope() - p * q  # over p q
    return half, enclose(lambda t: iv.log(_iv(scale * p(t) / q(t))) - _iv(t), slope, p * q, -half, half)


def exp_cuts(half: Fraction):
    """The relative error of what is cut off before the last shift, for -41.45 < x <= 50."""
    reduction = (ONE_UNIT + iv.mpf([-60, 73]) * (LN2_96 - iv.log(2) * 2**96)) / 2**96
    quotients = list(tracked_quotients(exp_p, exp_q, -half, half))
    assert all(r.value.a > 0 and (r.value + r.error).b * EXP_SCALE < 2**256 for r in quotients)
    return [iv.exp(reduction) * (1 + r.error / r.value) - 1 for r in quotients]


def ln_rational():
    """The error of the rational approximation of 1e18 ln(m), 1 <= m <= 2, in units."""
    p, q = ln_p(T * 2**96) >> 192, ln_q(T * 2**96) >> 96
    scale, offset = Fraction(LN_SCALE, 2**78), Fraction(LN_OFFSET, 2**174)
    base = iv.log(iv.mpf(2**96) / WAD)
    slope = (p.slope() * q - p * q.slope()) * T * scale - q * q * WAD  # over m q^2
    return enclose(
        lambda m: _iv(scale * p(m) / q(m) + offset) - WAD * (iv.log(_iv(m)) + base),
        slope,
        T * q * q,
        Fraction(1),
        Fraction(2),
    )


def ln_cuts():
    """The error of what is cut off before the last shift, in units, for any argument below 2**255."""
    constant = iv.mpf([-96, 158]) * (iv.mpf(LN2_174) / 2**174 - WAD * iv.log(2))
    shifted_out = WAD * iv.log(1 - iv.mpf([0, 1]) / 2**96)
    quotients = list(tracked_quotients(ln_p, ln_q, Fraction(1), Fraction(2)))
    assert all(abs(r.value + r.error).b * LN_SCALE < 2**254 for r in quotients)
    return [r.error * LN_SCALE / 2**174 + shifted_out + constant for r in quotients]


def hull(intervals):
    return iv.mpf([min(i.a for i in intervals), max(i.b for i in intervals)])


@cache
def bounds() -> dict[str, float]:
    """The table of the page by its rows' names; all but the first five in units of 1e-18."""
    half, exp_fit = exp_rational()
    exp_cut = hull(exp_cuts(half))
    exp_error = iv.exp(exp_fit) * (1 + exp_cut) - 1
    ln_fit, ln_cut = ln_rational(), hull(ln_cuts())
    ln_error = abs(ln_fit + ln_cut).b

    high, low = exp_error.b * WAD, -exp_error.a * WAD
    ratio = SEED / iv.log(2) / STAKE  # b / stake is greatest for p0 = 0.5
    grown = iv.exp(1 / ratio)  # G, the least
    second_order = 1 + iv.mpf("1e-15")
    price_below = 1 + (1 + high) / 4 + high / WAD
    ln_too_low = (2 + ln_error + iv.log(100) / SEED) / 4  # in a price
    bounds_found = {
        "exp: rational approximation, least": exp_fit.a,
        "exp: rational approximation, greatest": exp_fit.b,
        "exp: all cuts but the last": abs(exp_cut).b,
        "exp: e-": -exp_error.a,
        "exp: e+": exp_error.b,
        "ln: rational approximation, least": ln_fit.a,
        "ln: rational approximation, greatest": ln_fit.b,
        "ln: all cuts but the last": abs(ln_cut).b,
        "ln: l": ln_error,
        "shares: what pays for e+ and l, of 1": (high * (1 + high / WAD) * (1 + ratio) + ln_error).b,
        "shares: below the exact, relative": ((5 + 3 * low + (9 + 3 * low + ln_error) * ratio) * second_order).b,
        "opening: seed - C(start)": (SEED * (5 + 2 * ln_error) / iv.log(2) + iv.log(2) + 1).b,
        "price: below the exact": price_below.b,
        "price: above the exact": (1 + low).b,
        "price after: below the exact": ((1 / grown**2 + (2 + low) / grown) * second_order).b,
        "price after: above the exact": ((1 + 1 / grown + high / 2) * second_order).b,
        "price after: below that of the gap left": (high / 4 * second_order).b,
        "price after: above that of the gap left": (
            (1 + 1 / (4 * grown**2) + (1 + low / 2) / grown + ln_too_low) * second_order
        ).b,
        "opening: its price from p0": ((3 + ln_error + iv.log(100) / SEED) / 4 + price_below).b,
    }
    return {name: float(value.mid) for name, value in bounds_found.items()}


def test_the_page_states_the_recomputed_numbers():
    outward = Context(prec=4, rounding=ROUND_UP)
    rows = [f"| {name} | {outward.create_decimal(repr(value)):.3e} |" for name, value in bounds().items()]
    assert "\n".join(rows) in PAGE.read_text(), "the page's table should be:\n" + "\n".join(rows)


@cache
def word_sizes() -> dict[str, int]:
    """The bits of what each unsafe operation of `_buy` can give, each operand at its own worst."""
    least_b, most_b = (SEED * WAD * WAD // (1 - wad_ln(low)) for low in (WAD // 100, WAD // 2))
    grown = wad_exp(MOST_STAKE * WAD * WAD // least_b)
    least_grown = wad_exp(STAKE * WAD * WAD // most_b)
    ln = max(wad_ln(2 * grown), -wad_ln(least_grown - WAD)) + 1
    both = 2 * WAD * grown
    bounds_found = {
        "`stake * WAD`": MOST_STAKE * WAD * WAD,
        "`abs(gap) * WAD`": WIDEST * WAD,
        "`-1 - ... // b`": 1 + WIDEST * WAD // least_b,
        "`WAD + lesser`": 2 * WAD,
        "`(WAD + lesser) * grown`": both,
        "`both // WAD - other`": both // WAD,
        "`wad_ln - 1`": ln,
        "`b * ln`": most_b * ln,
        "`max(gap, 0) * WAD + b * ln`": WIDEST * WAD + most_b * ln,
        "`other * WAD * WAD`": WAD**3,
        "`WAD - ... // both`": WAD,
    }
    return {name: most.bit_length() for name, most in bounds_found.items()}


def test_the_page_states_the_recomputed_word_sizes():
    rows = [f"| {name} | {bits} |" for name, bits in word_sizes().items()]
    assert "\n".join(rows) in PAGE.read_text(), "the page's table should be:\n" + "\n".join(rows)
    assert max(word_sizes().values()) < 255  # and one for the sign


def test_one_unit_pays_for_the_errors_of_exp_and_ln():
    assert bounds()["shares: what pays for e+ and l, of 1"] < 1


def test_shares_are_closer_than_the_promise():
    assert bounds()["shares: below the exact, relative"] < 1e-15 * WAD


def test_the_comments_of_the_module_are_true():
    source = " ".join(MODULE.read_text().replace("#", " ").split())
    for claim, bound in (
        (r"less than ([\d.]+)e-20 of ", bounds()["exp: e+"] * 1e20),
        (r"by less than ([\d.]+) units", bounds()["ln: l"]),
        (r"at most ([\d.]+)e-16 of it away", bounds()["shares: below the exact, relative"] / 100),
        (r"Price of a side[^@]* to within ([\d.]+)e-18", bounds()["price: below the exact"]),
        (r"side afterwards, to within ([\d.]+)e-18", bounds()["price after: above that of the gap left"]),
    ):
        stated = [float(n) for n in re.findall(claim, source)]
        assert stated, claim
        assert all(bound < n < 1.2 * bound for n in stated), (claim, bound)


def test_exp_and_ln_here_are_those_of_the_bytecode(lmsr_evm):
    rng = random.Random(RNG_SEED)
    k_changes = [int((k + 0.5) * 0.6931471805599453 * WAD) for k in range(-60, 195)]
    xs = [x + d for x in k_changes for d in range(-2, 3)]
    xs += [EXP_ZERO_UP_TO + d for d in range(-2, 3)] + [-2, -1, 0, 1, 2, -(2**200), 135_305_999_368_893_231_588]
    xs += [rng.randrange(EXP_ZERO_UP_TO, 50 * WAD) for _ in range(10_000)]
    assert lmsr_evm.exps(xs) == [wad_exp(x) for x in xs]

    ns = [2**i + d for i in range(2, 255) for d in (-2, -1, 0, 1, 2)]
    ns += [1, 2, WAD - 1, WAD, WAD + 1, 2**255 - 1]
    ns += [int(rng.uniform(1, 2) * 2 ** rng.randrange(40, 130)) for _ in range(10_000)]
    assert lmsr_evm.lns(ns) == [wad_ln(n) for n in ns]


def test_the_module_here_is_that_of_the_bytecode(lmsr_evm):
    rng = random.Random(RNG_SEED)
    p0s = [WAD // 100, WAD // 2 - 1, WAD // 2, WAD // 2 + 1, 99 * WAD // 100]
    p0s += [rng.randint(WAD // 100, 99 * WAD // 100) for _ in range(1000)]
    openings = lmsr_evm.openings(p0s, SEED * WAD)
    assert openings == [opening(p0, SEED * WAD) for p0 in p0s]

    bs = [b for b, _ in openings]
    states = [(b, gap, WAD) for b in bs[:20] for gap in range(-20, 21)]
    for _ in range(10_000):
        gap = rng.choice((-1, 1)) * int(2 ** rng.uniform(0, 83))
        states.append((rng.choice(bs), gap, rng.choice((1, 1, rng.randint(1, 100))) * WAD))
    states.append((10 * WAD, 40 * WAD, WAD))  # a product without a remainder
    extremes = [sign * gap for gap in (2**87, WIDEST - 1) for sign in (-1, 1)] + [-WAD, 0, 1, WAD]
    states += product((min(bs), max(bs)), extremes, (STAKE * WAD, MOST_STAKE * WAD))
    assert lmsr_evm.buys(states) == [buy(*state) for state in states]
    assert lmsr_evm.prices([(b, gap) for b, gap, _ in states]) == [price(b, gap) for b, gap, _ in states]
