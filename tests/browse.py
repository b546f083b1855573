"""What tests do in a browser again and again: sign in, look for English, ask axe."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Error as PlaywrightError

WIDE = {"width": 1440, "height": 900}
NARROW = {"width": 390, "height": 844}

# Words that are the same in every language of the screens.
SAME_EVERYWHERE = re.compile(
    r"\b(LINE Pay|LINE|lineadmin|QR|LIFF|CSV|JSON|YAML|PIN|OK|NT|iOS|iPhone|Android|Excel|UTF|"
    r"Big5|ISO|ID|"
    r"Official Account|Pay|Manager|Messaging API|API|webhook|URL|https?|flask|Webhook|Beacon|Emoji|"
    r"menu|stop|unsubscribe|Flex|English|am|pm|kg|KB|MB|GB|px|JPEG|JPG|PNG|WebP|GIF|PDF|"
    r"Console|Developers|"
    r"Channel|access|token|secret|Login|Ctrl|Alt|Esc|Enter|Tab|Asia|Taipei|Chromium|Chrome|Safari|"
    r"SQLite|PostgreSQL)\b"
)
# Two frames later, and when what glides or fades has arrived; nobody waits for what turns for ever.
STILL = """async () => {
  for (let frame = 0; frame < 2; frame++) await new Promise((go) => requestAnimationFrame(go));
  const ends = document.getAnimations().filter((one) =>
    one.playState === 'running' && Number.isFinite(one.effect.getComputedTiming().endTime));
  await Promise.allSettled(ends.map((one) => one.finished));
}"""
ENGLISH = re.compile(r"[A-Za-z]{3,}")


def sign_in(page: Any, address: str, email: str, password: str) -> None:
    """Through the sign-in form, as a person would."""
    page.goto(f"{address}/admin/")
    page.locator("input[type=email], input[name=email]").first.fill(email)
    page.locator("input[type=password]").first.fill(password)
    page.locator("main button[type=submit], form button[type=submit]").first.click()
    page.wait_for_url(lambda url: "sign-in" not in url and "login" not in url)


def click_and_close(page: Any, button: Any) -> None:
    """Clicks what closes its own window: the click may be answered after the window is gone."""
    with page.expect_event("close"), suppress(PlaywrightError):
        button.click()


def english_on(page: Any) -> list[str]:
    """Pieces of visible text that look English and are no name, address or code."""
    texts = page.evaluate(
        """() => {
          const found = [];
          const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
          while (walker.nextNode()) {
            const node = walker.currentNode, parent = node.parentElement;
            if (!parent) continue;
            if (parent.closest('script,style,noscript,code,kbd,pre,[lang=en],[data-raw]')) continue;
            if (!parent.checkVisibility({visibilityProperty: true})) continue;
            found.push(node.textContent.trim());
          }
          for (const field of document.querySelectorAll('[placeholder],[title],[aria-label]'))
            for (const name of ['placeholder', 'title', 'aria-label'])
              if (field.checkVisibility() && !field.closest('[data-raw]'))
                found.push((field.getAttribute(name) || '').trim());
          return found.filter(Boolean);
        }"""
    )
    wrong = []
    for text in texts:
        rest = re.sub(r"\S+@\S+|https?://\S+|/\S+|[\w.-]+\.\w{2,4}\b|\{[^}]*\}", " ", text)
        rest = re.sub(r"\b[\w-]*\d[\w-]*\b|\b\w+_\w+\b", " ", rest)
        rest = re.sub(r"\b[A-Z]{4}(?:-[A-Z]{4})+\b", " ", rest)  # a coupon's code may hold no digit
        if ENGLISH.search(SAME_EVERYWHERE.sub(" ", rest)):
            wrong.append(text)
    return wrong


def serious_violations(page: Any) -> list[str]:
    """What axe-core calls serious or critical on the page once nothing moves on it any more."""
    page.evaluate(STILL)
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [
        f"{violation['id']}: {node['html'][:160]}"
        for violation in found
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]


def sideways_overflow(page: Any) -> int:
    """Pixels by which the page is wider than its window: nobody should scroll sideways."""
    page.evaluate(STILL)
    return int(
        page.evaluate(
            "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
    )
