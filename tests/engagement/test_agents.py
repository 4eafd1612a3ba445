"""What User-Agents say; the rows are values seen in access logs and published by their makers."""

from __future__ import annotations

import pytest

from mailgate.engagement._agents import _ROWS, read_agent
from mailgate.engagement._judge import _ROWS as SIGNALS
from mailgate.engagement._judge import judge

MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)"
WINDOWS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"
)
ROWS = [
    ("", "none", "", "ua_missing"),
    ("  ", "none", "", "ua_missing"),
    ("-", "none", "", "ua_missing"),
    ("Mozilla/5.0", "proxy", "apple_mpp", "apple_mpp"),
    (" Mozilla/5.0 ", "proxy", "apple_mpp", "apple_mpp"),
    (MAC, "other", "apple_mail_or_outlook", "ua_ambiguous"),
    (MAC.replace("Macintosh", "iPhone") + " Mobile/15E148", "other", "", "ua_other"),
    (MAC + " Version/17.5 Safari/605.1.15", "browser", "safari", ""),
    (WINDOWS, "browser", "chrome", ""),
    (WINDOWS + " Edg/126.0.0.0", "browser", "edge", ""),
    (WINDOWS + " OPR/111.0.0.0", "browser", "opera", ""),
    (WINDOWS.replace("Chrome", "HeadlessChrome"), "bot", "", "ua_bot"),
    ("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "browser", "firefox", ""),
    ("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Thunderbird/128.0", "mail_client", "thunderbird", ""),
    (
        "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; WOW64; Trident/7.0; .NET4.0C; .NET4.0E;"
        " Microsoft Outlook 16.0.5266; ms-office; MSOffice 16)",
        "mail_client",
        "outlook",
        "",
    ),
    ("Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko", "browser", "internet_explorer", ""),
    (
        "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
        "proxy",
        "gmail_proxy",
        "ua_proxy",
    ),
    ("YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html", "proxy", "yahoo_proxy", "ua_proxy"),
    ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "bot", "", "ua_bot"),
    ("Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)", "bot", "", "ua_bot"),
    ("Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", "bot", "", "ua_bot"),
    ("facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)", "bot", "facebook", "ua_bot"),
    ("WhatsApp/2.23.20.0", "bot", "whatsapp", "ua_bot"),
    ("Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5", "bot", "skype", "ua_bot"),
    ("curl/8.5.0", "library", "", "ua_library"),
    ("Wget/1.21.3", "library", "", "ua_library"),
    ("python-requests/2.32.3", "library", "", "ua_library"),
    ("Python-urllib/3.11", "library", "", "ua_library"),
    ("Go-http-client/2.0", "library", "", "ua_library"),
    ("Java/17.0.2", "library", "", "ua_library"),
    ("Apache-HttpClient/4.5.13 (Java/11.0.9.1)", "library", "", "ua_library"),
    ("okhttp/4.12.0", "library", "", "ua_library"),
    ("axios/1.7.2", "library", "", "ua_library"),
    ("BarracudaCentral/1.0", "scanner", "barracuda", "ua_scanner"),
    ("Mozilla/5.0 (Linux; Android 9; CUBOT X19 Build/PPR1) Chrome/90.0 Mobile Safari/537.36", "browser", "chrome", ""),
    ("Something/1.0", "other", "", "ua_other"),
    ("x" * 600 + "curl/", "other", "", "ua_other"),
]


@pytest.mark.parametrize(("text", "agent_class", "client", "signal"), ROWS)
def test_rows(text: str, agent_class: str, client: str, signal: str) -> None:
    assert read_agent(text) == (agent_class, client, signal)
    assert read_agent(text.upper()) == (agent_class, client, signal)


def test_every_row_can_be_reached() -> None:
    """No row stands behind one whose marker is a part of its own."""
    for marker, agent_class, client in _ROWS:
        found = read_agent(f"x{marker}x")
        assert found[:2] == (agent_class, client), marker
        assert marker == marker.lower()


def test_the_first_signal_of_the_table_decides() -> None:
    agent = read_agent(WINDOWS)
    names = [signal for signal, _, _ in SIGNALS]
    for at, (signal, actor, confidence) in enumerate(SIGNALS):
        verdict = judge(agent, tuple(names[at:]))
        assert (verdict.reason, verdict.actor, verdict.confidence) == (signal, actor, confidence)
        assert judge(agent, tuple(reversed(names[at:]))).reason == signal


@pytest.mark.parametrize(
    ("signals", "actor", "confidence"),
    [
        ((), "human", "medium"),
        (("fast",), "human", "low"),
        (("no_accept",), "human", "low"),
        (("no_accept_language",), "human", "low"),
        (("fast", "no_accept"), "unknown", "low"),
        (("no_accept", "no_accept_language"), "unknown", "low"),
        (("stale",), "human", "medium"),
        (("throttled",), "human", "medium"),
    ],
)
def test_weak_signals(signals: tuple[str, ...], actor: str, confidence: str) -> None:
    verdict = judge(read_agent(WINDOWS), signals)
    assert (verdict.actor, verdict.confidence) == (actor, confidence)
    assert verdict.signals == signals
