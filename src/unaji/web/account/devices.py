"""Name a browser by what it says of itself, as far as its owner needs it to tell one device from another."""

from __future__ import annotations

from django import template

from unaji.web.words import words

register = template.Library()

# The first that fits: Edge calls itself Chrome too, Chrome calls itself Safari, Android calls itself Linux.
BROWSERS = {"Edg": "Edge", "OPR/": "Opera", "SamsungBrowser": "Samsung Internet", "Firefox": "Firefox",
            "FxiOS": "Firefox", "CriOS": "Chrome", "Chrome": "Chrome", "Safari": "Safari"}  # fmt: skip
SYSTEMS = {"iPhone": "iPhone", "iPad": "iPad", "Android": "Android", "Windows": "Windows", "Macintosh": "Mac",
           "CrOS": "ChromeOS", "Linux": "Linux"}  # fmt: skip


@register.filter
def device(user_agent: str) -> str:
    """Say "Firefox on Windows"; a browser that says nothing known is unknown."""
    browser = next((name for mark, name in BROWSERS.items() if mark in user_agent), "")
    system = next((name for mark, name in SYSTEMS.items() if mark in user_agent), "")
    if browser and system:
        return words()("account.devices.named", browser=browser, system=system)
    return words()("account.devices.unknown")
