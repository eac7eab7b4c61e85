"""Keys in memory and on disk: bounded, all found, none longer than its time."""

import os

import pytest

from hanse.district import keys as keys_module
from hanse.district.keys import ERA_US, Keys
from hanse.kernel.time import DAY_US

START_US = 1_780_000_000_000_000


def pairs(numbers: range) -> list[int]:
    """Anything that is spread as hashes are, below zero too."""
    return [hash((str(number), "key")) for number in numbers]


def filled(count: int, *, in_memory: int, at_once: int = 7, now_us: int = START_US) -> Keys:
    keys = Keys(in_memory=in_memory, life_us=DAY_US)
    for start in range(1, count + 1, at_once):
        numbers = range(start, min(start + at_once, count + 1))
        keys.add(pairs(numbers), numbers, now_us)
    return keys


@pytest.mark.parametrize("in_memory", [1, 2, 100, 5_000, 10_000])
@pytest.mark.parametrize("at_once", [1, 7, 1_024])
def test_memory_is_bounded_and_every_key_is_found(in_memory: int, at_once: int) -> None:
    keys = filled(5_000, in_memory=in_memory, at_once=at_once)
    assert len(keys) <= in_memory + 2 * at_once
    assert len(keys) + keys.on_disk == 5_000
    assert [keys.get(pair) for pair in pairs(range(1, 5_001))] == list(range(1, 5_001))
    assert [keys.get(pair) for pair in pairs(range(5_001, 6_000))] == [None] * 999


def test_the_latest_answer_to_a_key_counts_wherever_the_others_lie() -> None:
    keys = Keys(in_memory=2, life_us=DAY_US)
    for number in range(1, 100):
        keys.add([7, number + 1_000], [2 * number, 2 * number + 1], START_US + number * ERA_US // 10)
        assert keys.get(7) == 2 * number


def test_a_table_leaves_when_all_in_it_is_over_its_time() -> None:
    keys = filled(100, in_memory=2)
    keys.forget(0, now_us=START_US + DAY_US)
    assert keys.get(pairs(range(1, 2))[0]) == 1
    keys.forget(0, now_us=START_US + DAY_US + 1)
    assert keys.on_disk == 0
    assert keys.get(pairs(range(1, 2))[0]) is None


def test_tables_are_few_however_long_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys_module, "SLOTS_MIN", 1_024)
    keys = Keys(in_memory=2, life_us=DAY_US)
    for number in range(1, 1_000):
        now_us = START_US + number * ERA_US // 3
        keys.add([number], [number], now_us)
        keys.forget(number - 12, now_us=now_us)
        assert len(keys._tables) <= 6
        assert keys.get(max(1, number - 11)) == max(1, number - 11)


def test_a_table_that_is_half_full_is_followed_by_a_larger_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys_module, "SLOTS_MIN", 16)
    keys = filled(10_000, in_memory=2)
    assert [table.slots for table in keys._tables] == [16_384, 8_192, 4_096, 2_048, 1_024, 512, 256, 128, 64, 32, 16]
    assert [keys.get(pair) for pair in pairs(range(1, 10_001))] == list(range(1, 10_001))


def test_what_finds_no_space_on_disk_stays_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError("No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "posix_fallocate", full)
        keys = filled(100, in_memory=10)
        assert len(keys) == 100
    assert [keys.get(pair) for pair in pairs(range(1, 101))] == list(range(1, 101))
    numbers = range(101, 201)
    keys.add(pairs(numbers), numbers, START_US)
    assert keys.on_disk > 0
    assert [keys.get(pair) for pair in pairs(range(1, 201))] == list(range(1, 201))
