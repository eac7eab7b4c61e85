import pytest

from hanse.kernel.errors import HanseError
from hanse.people.consent import service as consent
from hanse.people.members import service as members
from hanse.people.members.views import Members, keeps_address, member
from tests.conftest import Town


def test_joining_opens_a_wallet_and_twice_is_once(town: Town) -> None:
    assert town.records(members.join, "per_3", locale="de") == ["people.member_joined", "finance.account_opened"]
    assert town.records(members.join, "per_3", locale="en") == []
    assert member(town.district, "per_3").locale == "de"


def test_a_member_keeps_addresses_up_to_a_bound(town: Town) -> None:
    assert keeps_address(town.district, "per_1", "adr_1")
    assert not keeps_address(town.district, "per_2", "adr_1")
    assert town.records(members.keep_address, "per_1", "adr_1") == []
    for n in range(2, members.ADDRESSES_MAX + 1):
        town.do(members.keep_address, "per_1", f"adr_{n}")
    town.refuses("people.too_many_addresses", members.keep_address, "per_1", "adr_99")
    town.refuses("people.unknown_member", members.keep_address, "per_9", "adr_1")


def test_an_erased_member_is_gone_with_their_consents(town: Town) -> None:
    town.do(consent.give, "per_1", purpose="statistics")
    assert town.records(members.erase, "per_1") == ["people.member_erased"]
    assert "per_1" not in town.district.view(Members).by_id
    assert not town.district.allowed("per_1", "statistics")
    town.refuses("people.erased_already", members.erase, "per_1")
    with pytest.raises(HanseError) as refused:
        keeps_address(town.district, "per_1", "adr_1")
    assert refused.value.code == "people.unknown_member"


def test_consent_is_given_once_and_withdrawn_once(town: Town) -> None:
    give, withdraw = consent.give, consent.withdraw
    assert town.records(withdraw, "per_1", purpose="personalisation") == []
    assert town.records(give, "per_1", purpose="personalisation") == ["people.consent_given"]
    assert town.records(give, "per_1", purpose="personalisation", topic="wine") == []
    assert town.records(withdraw, "per_1", purpose="personalisation", topic="wine") == ["people.consent_withdrawn"]
    assert town.records(withdraw, "per_1", purpose="personalisation", topic="wine") == []
    assert consent.given(town.district, "per_1") == {"personalisation": {""}}
    assert [town.district.allowed("per_1", "personalisation", t) for t in ("", "wine")] == [True, False]


def test_consent_needs_a_member_a_known_purpose_and_a_bound(town: Town) -> None:
    town.refuses("people.unknown_member", consent.give, "per_9", purpose="statistics")
    town.refuses("people.unknown_purpose", consent.give, "per_1", purpose="espionage")
    town.refuses("people.unknown_purpose", consent.withdraw, "per_1", purpose="espionage")
    for n in range(consent.CONSENTS_MAX):
        town.do(consent.give, "per_1", purpose="statistics", topic=f"t{n}")
    town.refuses("people.too_many_consents", consent.give, "per_1", purpose="statistics")
    for n in range(consent.CONSENTS_MAX):
        town.do(consent.withdraw, "per_1", purpose="statistics", topic=f"t{n}")
    town.refuses("people.too_many_mutes", consent.withdraw, "per_1", purpose="statistics", topic="one more")
    assert town.records(consent.withdraw, "per_1", purpose="statistics") == ["people.consent_withdrawn"]
