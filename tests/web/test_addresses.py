"""From where a request came: what the connection says, or our own proxy, and never what a visitor writes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from allauth.account.adapter import get_adapter
from django.core.exceptions import PermissionDenied
from django.test import RequestFactory

from unaji.web.addresses import address_of, counted_as

FORGED = "192.0.2.1, 198.51.100.9"


def asked(connected="10.0.0.2", forwarded=None):
    more = {} if forwarded is None else {"HTTP_X_FORWARDED_FOR": forwarded}
    return RequestFactory().get("/", REMOTE_ADDR=connected, **more)


@pytest.fixture
def behind_proxy(settings):
    settings.CHOSEN = replace(settings.CHOSEN, behind_proxy=True)


def test_without_a_proxy_nobody_can_write_their_own_address():
    assert address_of(asked(forwarded=FORGED)) == "10.0.0.2"


@pytest.mark.usefixtures("behind_proxy")
@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        (FORGED, "198.51.100.9"),
        ("198.51.100.9", "198.51.100.9"),
        ("2001:DB8::00aa", "2001:db8::aa"),
        ("192.0.2.1, [2001:db8::aa]", "2001:db8::aa"),
        ("::ffff:198.51.100.9", "198.51.100.9"),
        (None, "10.0.0.2"),
        ("", "10.0.0.2"),
        ("198.51.100.9, unknown", "10.0.0.2"),
    ],
)
def test_behind_a_proxy_the_last_address_counts_which_the_proxy_itself_wrote(forwarded, address):
    assert address_of(asked(forwarded=forwarded)) == address


def test_a_household_has_one_count_however_many_addresses_of_ipv6_it_uses():
    first, second = asked("2001:db8:1:2::1"), asked("2001:db8:1:2:ffff::9")

    assert counted_as(first) == counted_as(second) == "2001:db8:1:2::/64"
    assert counted_as(asked("2001:db8:1:3::1")) != counted_as(first)
    assert [counted_as(asked(one)) for one in ("10.0.0.2", "10.0.0.3", "")] == ["10.0.0.2", "10.0.0.3", ""]


def test_signing_in_is_counted_under_the_same_address(settings):
    request = asked(forwarded=FORGED)

    assert get_adapter().get_client_ip(request) == "10.0.0.2"
    settings.CHOSEN = replace(settings.CHOSEN, behind_proxy=True)
    assert get_adapter().get_client_ip(request) == "198.51.100.9"
    with pytest.raises(PermissionDenied):
        get_adapter().get_client_ip(asked(""))
