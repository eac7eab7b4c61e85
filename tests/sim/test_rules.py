"""The rules that a district lives by, and where each of them is tried.

A rule is tried by the simulation (`sim:` and the rule of the auditor, or the fault, that tries it) or by a test
of its own. The last test of this file sees that what is named here exists.
"""

from pathlib import Path

ROOT = Path(__file__).parents[2]

RULES: dict[str, tuple[str, ...]] = {
    "commands run one at a time, in order; all events of one stand in one commit": (
        "sim: books.py:Books.read",
        "tests/district/test_turn.py:test_a_turn_runs_deadlines_then_owed_steps_then_commands_in_order",
    ),
    "after its first record nothing may refuse; what raises after a record stops the writer, which replays": (
        "sim: town.py:stumble_after",
        "sim: life.py:_tripping",
        "sim: plants.py:an order is refused after it was recorded",
    ),
    "a bug before the first record harms nobody": ("sim: town.py:stumble_before",),
    "a command that stops the writer twice is parked and shown": (
        "sim: clients.py:district.command_parked",
        "tests/district/test_writer.py:test_a_command_that_stopped_the_writer_twice_is_parked_and_shown",
    ),
    "a refusal for a business reason is a result": (
        "sim: books.py:_supply_stock_short",
        "tests/flows/test_order.py:test_sold_out_is_a_result_that_names_what_is_missing",
    ),
    "one commit a turn, then the answers: what was answered is durable": (
        "sim: clients.py:_keyed",
        "sim: plants.py:answers are given before the commit",
        "tests/reliability/test_kill.py:test_a_hundred_kills_in_a_row_lose_nothing_and_double_nothing",
    ),
    "a commit that fails is answered to nobody and leaves no trace in memory": (
        "sim: life.py:full_before",
        "sim: life.py:full_after",
        "sim: plants.py:a failed commit leaves memory as it is",
        "tests/reliability/test_disk.py:test_running_ends_while_the_disk_is_full_and_steps_are_owed",
    ),
    "now is fixed for a turn and never goes back": (
        "sim: life.py:_pass_time",
        "sim: plants.py:the clock goes back",
    ),
    "deadlines are asked each turn, and each fires once": (
        "sim: checks.py:check_overdue",
        "sim: plants.py:a deadline fires twice",
        "sim: plants.py:a deadline never fires",
    ),
    "an event is folded at once; every entry carries position, time, cause and story": (
        "sim: checks.py:check_touched",
        "tests/district/test_turn.py:test_an_entry_carries_time_story_origin_and_body",
    ),
    "a repeated key gets the stored answer for a day, refusals included; another body is refused": (
        "sim: clients.py:repeat",
        "sim: books.py:_answered",
        "sim: plants.py:answers are not remembered by their keys",
    ),
    "steps run at least once, in order, idempotent; what is owed after a restart comes from the journal": (
        "sim: checks.py:nothing is owed any more",
        "sim: plants.py:steps that were owed are lost by a restart",
    ),
    "a step sees the views of now: it needs nothing that a later step takes away": (
        "sim: plants.py:a step needs what a later step takes away",
    ),
    "a step that raises is recorded and blocks nobody": (
        "sim: books.py:_district_step_failed",
        "tests/district/test_turn.py:test_a_failing_step_is_recorded_and_passed_over",
    ),
    "a new step starts at its deployment, never at history": (
        "tests/district/test_restart.py:test_a_new_step_starts_at_its_deployment_not_at_history",
    ),
    "the world outside is called at least once and heard once, however late, often or out of order it answers": (
        "sim: provider.py:Provider",
        "sim: books.py:_end_effect",
        "tests/sim/test_found_bugs.py:test_a_provider_that_answers_twice_is_heard_once",
    ),
    "views are reproducible by replay, from zero and from a snapshot": (
        "sim: checks.py:check_same",
        "sim: plants.py:a fold reads the clock",
        "sim: plants.py:a snapshot lacks a field of a view",
    ),
    "a count may make free stock negative, a sale never may; lines and shops may share an item": (
        "sim: shelves.py:oversold",
        "sim: plants.py:stock is checked line by line, not by the item that lines share",
        "sim: plants.py:stock is not released when a part is cancelled",
    ),
    "one order over several shops is one order, one command, one commit, a part per shop": (
        "sim: stories.py:Stories",
        "tests/flows/test_order.py:test_an_order_over_two_shops_is_one_order_with_a_part_each",
    ),
    "prices, VAT and commission are frozen at the sale": (
        "sim: stories.py:_check_prices",
        "sim: plants.py:the commission is computed at the settlement, not frozen at the sale",
    ),
    "money: held, captured once, less if less was picked, refunded exactly; the ledger sums to zero": (
        "sim: accounts.py:Accounts",
        "sim: checks.py:_money",
        "sim: plants.py:a part is captured twice",
        "sim: plants.py:more is refunded than was captured",
        "sim: plants.py:the rest of a hold stays held when less was picked",
        "sim: plants.py:commission is not given back with the last refund",
        "sim: plants.py:a refund believes what was read before another refund",
        "sim: plants.py:the league keeps money that nobody paid",
    ),
    "the chain shows tampering": (
        "sim: checks.py:check_journal",
        "tests/reliability/test_disk.py:test_an_altered_journal_does_not_verify",
    ),
    "a writer that lost its district is fenced; a second one is refused": (
        "tests/journal/test_journal.py:test_a_commit_that_collides_is_fenced_and_leaves_nothing",
        "tests/reliability/test_disk.py:test_a_second_writer_is_refused_at_once",
    ),
    "events of an absent capability are kept and skipped": (
        "tests/events/test_dictionary.py:test_an_event_of_an_absent_capability_is_skipped",
    ),
    "a snapshot of other folds means replay; deleting snapshots loses nothing": (
        "tests/district/test_restart.py:test_a_snapshot_of_other_folds_means_replay",
        "tests/district/test_restart.py:test_only_the_newest_snapshots_are_kept_and_deleting_all_loses_nothing",
    ),
    "a follower sees what the writer committed": (
        "tests/district/test_restart.py:test_a_follower_sees_what_the_writer_committed",
    ),
    "personal data never stands in the journal in clear; erasing a person destroys the key": (
        "tests/reliability/test_privacy.py:test_a_member_who_joins_orders_and_leaves_is_nowhere_in_clear",
        "tests/reliability/test_privacy.py:test_an_old_copy_of_what_was_sealed_opens_nothing_after_an_erasure",
    ),
}


def test_every_rule_names_where_it_is_tried() -> None:
    missing = []
    for rule, places in RULES.items():
        assert places, rule
        for place in places:
            file, _, what = place.removeprefix("sim: ").partition(":")
            path = ROOT / ("hanse/world/simulation" if place.startswith("sim: ") else "") / file
            text = path.read_text() if path.exists() else ""
            if what.rpartition(".")[2] not in text:
                missing.append(place)
    assert missing == []
