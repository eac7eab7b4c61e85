"""Several districts from one seed, neighbours of each other, over a network that fails as often as they do.

Each is a whole town with its own crashes, full disks and clock; its people also order at the neighbours' shops. The
auditor of each town goes on checking it, and one between them checks that both sides of everything agree.
"""

import tempfile
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from random import Random

import msgspec

from hanse.finance.payments import service as payments
from hanse.finance.payments.views import captured_in
from hanse.flows import neighbours as flow
from hanse.flows.neighbours import AskNeighbour, ask, declare
from hanse.flows.settlement import book, standings
from hanse.kernel.chance import stream
from hanse.kernel.time import SECOND_US
from hanse.kernel.values import SeenWish
from hanse.market.away.views import Away
from hanse.world.simulation.between import Between
from hanse.world.simulation.books import Books
from hanse.world.simulation.league_plants import PLANTS
from hanse.world.simulation.life import END_TURNS_MAX, LEAPS_US, Life
from hanse.world.simulation.mail import Mail
from hanse.world.simulation.plants import plant as planted
from hanse.world.simulation.report import Broken, Failure
from hanse.world.simulation.town import PEOPLE, Act

__all__ = ["LeagueReport", "run"]

TAGS = ("a", "b", "c")
LIMIT_MINOR = 40_000_00
ASKS_SHARE, CANCELS_SHARE, REFUNDS_SHARE, PAID_SHARE = 0.10, 0.02, 0.02, 0.01
LATEST = 40


class LeagueReport(msgspec.Struct):
    """What a league of one seed went through. `hashes`: the end of each district's journal."""

    seed: int
    commands: int = 0
    crashes: int = 0
    trips: dict[str, int] = {}
    messages: int = 0
    lost: int = 0
    doubled: int = 0
    hashes: dict[str, str] = {}

    def summary(self) -> str:
        """A few lines for people."""
        ends = ", ".join(f"{count:,} {end}" for end, count in sorted(self.trips.items()))
        return (
            f"Seed {self.seed}: every rule held, in each of {len(self.hashes)} districts and between them.\n"
            f"  {self.commands:,} commands, {self.crashes:,} crashes\n"
            f"  orders over a border: {ends or 'none'}\n"
            f"  {self.messages:,} messages; on their way {self.lost:,} batches and receipts were lost,"
            f" {self.doubled:,} doubled\n"
            f"  journals {', '.join(f'{tag} {end[:12]}' for tag, end in self.hashes.items())}"
        )


def run(seed: int, commands: int = 10_000, plant: str | None = None, *, districts: int = 3) -> LeagueReport:
    """Run the simulation of a league.

    Parameters
    ----------
    seed
        Decides everything.
    commands
        How many commands are submitted, in all districts together.
    plant
        The name of a bug to put in first (see `league_plants.PLANTS`); None: the program as it is.
    districts
        2 or 3.

    Raises
    ------
    Failure
        A rule does not hold.
    """
    bug = planted(plant, PLANTS) if plant else nullcontext()
    with bug, tempfile.TemporaryDirectory(prefix="hanse-sim-") as folder:
        return League(seed, Path(folder), TAGS[:districts]).run(commands)


class League:
    """The districts of one seed, from their founding to their last check."""

    def __init__(self, seed: int, folder: Path, tags: tuple[str, ...]) -> None:
        self._seed = seed
        self._rng = stream(seed, "league")
        self.lives: dict[str, Life] = {}
        books: dict[str, Books] = {}
        self.between = Between(tags, books)
        for tag in tags:
            wishes = Wishes(stream(seed, f"wishes of {tag}"), tag, self.lives)
            heard = partial(self.between.read, tag)
            life = self.lives[tag] = Life(seed, folder / tag, tag=tag, more=wishes.next, heard=heard)
            books[tag] = life.books
        self.mail = Mail(stream(seed, "mail"), self.lives)

    def run(self, commands: int) -> LeagueReport:
        """Live through so many commands; raises `Failure` at the first rule that does not hold."""
        at = next(iter(self.lives.values()))
        try:
            for at in self.lives.values():
                at.found()
                others = dict.fromkeys((tag for tag in self.lives if self.lives[tag] is not at), LIMIT_MINOR)
                at.ask(Act(declare, (others,)))
                while not at.quiet:
                    at.calm()
            while sum(life.report.commands for life in self.lives.values()) < commands:
                at = self._rng.choice(list(self.lives.values()))
                self.mail.pass_on()
                at.step()
                self._keep_time(at)
                self._check_pairs()
            self._end()
        except Broken as broken:
            raise self._failure(at, broken) from broken
        except Exception as error:  # whatever reaches us stopped the process for no planned reason
            raise self._failure(at, Broken(f"the process ended by {type(error).__name__}: {error}")) from error
        return self._report()

    def _keep_time(self, at: Life) -> None:
        """One time for all: a clock that jumps does so everywhere, but nobody looks at it in the same moment."""
        now_us = at.clock_us + int(self._rng.expovariate(1) * 8 * SECOND_US)
        for life in self.lives.values():
            life.clock_us = now_us

    def _check_pairs(self) -> None:
        done = [tag for tag, life in self.lives.items() if not life.writer.district.steps_owed]
        for number, tag in enumerate(done):
            for other in done[:number]:
                self.between.check_pair(tag, other)

    def _end(self) -> None:
        """The network is whole again, and so are the disks: all comes to its end, and is checked once more."""
        self.mail.fair = True
        for life in self.lives.values():
            life.heal()
        for leap_us in LEAPS_US:
            for life in self.lives.values():
                life.leap(leap_us)
            self._quieten()
        for life in self.lives.values():
            life.finish()
        self.between.check_end()

    def _quieten(self) -> None:
        quiet = 0
        for _ in range(END_TURNS_MAX):
            self.mail.pass_on()
            for life in self.lives.values():
                life.calm()
            # What one side's last turn sent is on its way for some more.
            quiet = quiet + 1 if all(life.quiet for life in self.lives.values()) else 0
            if quiet > 8:
                break
        for life in self.lives.values():
            life.check_all()

    def _report(self) -> LeagueReport:
        lives = self.lives.values()
        trips: dict[str, int] = {}
        for trip in self.between.trips.values():
            trips[trip.outcome or "open"] = trips.get(trip.outcome or "open", 0) + 1
        return LeagueReport(
            self._seed,
            sum(life.report.commands for life in lives),
            sum(life.report.crashes for life in lives),
            trips,
            sum(len(sent) for sent in self.between.sent.values()),
            self.mail.lost,
            self.mail.doubled,
            {tag: life.report.journal_hash for tag, life in self.lives.items()},
        )

    def _failure(self, at: Life, broken: Broken) -> Failure:
        others = [life for life in self.lives.values() if life is not at]
        return at.failure(broken, [entry for life in others for entry in life.journal.story(broken.story)])


class Wishes:
    """What people want of the neighbours' shops, at the prices that they saw there, now and then an old one."""

    def __init__(self, rng: Random, home: str, lives: dict[str, Life]) -> None:
        self._rng = rng
        self._home = home
        self._lives = lives

    def next(self) -> Act | None:
        """Somebody orders abroad, wants an order or money back, or was paid; None: they do something at home."""
        draw = self._rng.random()
        if draw < ASKS_SHARE:
            return self._ask()
        if draw < ASKS_SHARE + CANCELS_SHARE:
            return self._cancel()
        if draw < ASKS_SHARE + CANCELS_SHARE + REFUNDS_SHARE:
            return self._refund()
        if draw < ASKS_SHARE + CANCELS_SHARE + REFUNDS_SHARE + PAID_SHARE:
            return self._book()
        return None

    def _ask(self) -> Act | None:
        rng = self._rng
        to = rng.choice([tag for tag in self._lives if tag != self._home])
        offers = self._lives[to].books.offers
        if not offers:
            return None
        lines = []
        for offer_id in rng.sample(list(offers), min(len(offers), rng.choice((1, 1, 2, 3)))):
            seen = offers[offer_id]["price_minor"] + (1 if rng.random() < 0.03 else 0)
            lines.append(SeenWish(offer_id, rng.choice((1, 1, 2, 3)), offers[offer_id]["shop_id"], seen))
        return Act(ask, (f"per_{rng.randrange(PEOPLE)}", to, AskNeighbour(tuple(lines))))

    def _cancel(self) -> Act | None:
        orders = list(self._lives[self._home].writer.district.view(Away).open)
        return Act(flow.ask_cancel, (self._rng.choice(orders),)) if orders else None

    def _book(self) -> Act | None:
        owing = [one for one in standings(self._lives[self._home].writer.district) if one.they_owe_minor]
        if not owing:
            return None
        of = self._rng.choice(owing)
        amount_minor = self._rng.choice((1, of.they_owe_minor // 2, of.they_owe_minor, of.they_owe_minor + 1))
        return Act(partial(book, reference=f"{of.neighbour} to {self._home}"), (of.neighbour, amount_minor))

    def _refund(self) -> Act | None:
        latest = list(self._lives[self._home].books.stories.all.values())[-LATEST:]
        pieces = [one for tale in latest if tale.shopper.startswith("ngh_") for one in tale.pieces.items()]
        if not pieces:
            return None
        part_id, piece = self._rng.choice(pieces)
        goods_minor = self._rng.choice((1, piece.goods // 2, piece.goods))
        if piece.captured is None:
            return None
        home = self._lives[self._home]
        part = captured_in(home.journal.story(part_id.rpartition("-")[0]), part_id, read_us=home.books.time_us)
        return Act(partial(payments.refund, goods_minor=goods_minor, fee_minor=0, reason="quality"), (part,))
