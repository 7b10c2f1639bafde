"""Where a request came from, for counting how often and for saying where somebody is signed in.

Behind a proxy every connection comes from the proxy, and a header says for whom. Anybody may write that header; only
its last entry is the proxy's own, so that it is the only one that is believed, and only where there is a proxy.
"""

from __future__ import annotations

from ipaddress import IPv6Address, IPv6Network, ip_address

from django.conf import settings
from django.http import HttpRequest

HOUSEHOLD_BITS = 64
"""A line of IPv6 is given that many fixed bits, and as many addresses below them as it likes."""


def address_of(request: HttpRequest) -> str:
    """Return the address a request came from; "" where none is known.

    Parameters
    ----------
    request : HttpRequest
        Behind a proxy (``UNAJI_BEHIND_PROXY``) the last entry of its ``X-Forwarded-For`` counts, as long as it is an
        address; who comes past the proxy, such as a check on the same machine, counts as who is connected.
    """
    if settings.CHOSEN.behind_proxy:
        said = _plain(request.headers.get("X-Forwarded-For", "").rsplit(",", 1)[-1])
        if said:
            return said
    return _plain(str(request.META.get("REMOTE_ADDR", "")))


def counted_as(request: HttpRequest) -> str:
    """Return under what a request is counted: its address, or of IPv6 the line it belongs to."""
    address = address_of(request)
    if address and isinstance(ip_address(address), IPv6Address):
        return str(IPv6Network((address, HOUSEHOLD_BITS), strict=False))
    return address


def _plain(said: str) -> str:
    """Return an address as it is commonly written; "" for anything else. IPv4 within IPv6 is IPv4."""
    try:
        found = ip_address(said.strip().strip("[]").partition("%")[0])
    except ValueError:
        return ""
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return str(mapped or found)
