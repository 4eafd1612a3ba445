r"""Unsubscribing: the headers, the page behind the link, the answer by mail, and a checker for what you send.

Use it to give every mail of a list a List-Unsubscribe pair that mailbox providers accept (RFC 2369, RFC 8058) and to
carry out what comes back, by POST, by the page's button or by mail, without a database of your own.

    >>> from mailgate.records import KeyRing
    >>> keys = KeyRing.of(b"0123456789abcdefghijklmnopqrstuv")
    >>> links = UnsubscribeLinks(keys=keys, base_url="https://news.example/u", mailto_address="leave@news.example")
    >>> ann = Subscription(recipient="ann@example.net", tenant="shop", stream="news")
    >>> for name, value in links.headers(ann):
    ...     print(name, len(value))
    List-Unsubscribe 248
    List-Unsubscribe-Post 26

    >>> left = []
    >>> app = UnsubscribeApp(keys=keys, sink=left.append)                        # mount it at https://news.example/u
    >>> link = links.url(ann)
    >>> from wsgiref.util import setup_testing_defaults
    >>> import io
    >>> def post(path, body):
    ...     environ = {"REQUEST_METHOD": "POST", "PATH_INFO": path, "CONTENT_LENGTH": str(len(body)),
    ...                "CONTENT_TYPE": "application/x-www-form-urlencoded", "wsgi.input": io.BytesIO(body)}
    ...     setup_testing_defaults(environ)
    ...     app(environ, lambda status, headers: print(status))
    >>> post(link.removeprefix("https://news.example/u"), b"List-Unsubscribe=One-Click")
    200 OK
    >>> left[0].recipient, left[0].stream
    ('ann@example.net', 'news')

What goes in. `Subscription`: an address or an opaque id of yours, tenant, stream, message reference, each at most 255
bytes. `UnsubscribeLinks` writes link, mailto address and header pair; `unsubscribe_headers` the pair for a URL of your
own. `UnsubscribeApp` is a WSGI callable and takes a `sink(event)`; a request body is read to 4,096 bytes.
`parse_request` reads mails to the mailto address, `find_subscription` the header of a mail that came back in a
complaint. `check_unsubscribe_headers` reads a finished message.

What comes out. `Event`s of kind `unsubscribed`. The app answers 200, 400 (a POST that says neither), 404 (one page for
whatever is wrong with a link), 405, and 503 with Retry-After when the sink raises: never a redirect, never 200 before
the sink has returned. ValueError for headers that would not work. Tokens that are not ours read as None.

Python's own `email` package breaks this header: `EmailMessage` with its default policy turns a long List-Unsubscribe
into encoded-words, which providers do not read. Write
`EmailMessage(policy=email.policy.SMTP.clone(max_line_length=998))` and `links.headers(ann, fold=None)`, or put the
folded lines in front of the finished bytes. `check_unsubscribe_headers` finds it.

SECURITY. A token is sealed and authenticated (see `_token`): forging one, changing a bit, writing it in another
spelling or using a token of another purpose gives None, and the address cannot be read in it. It never expires. Whoever
has a link can unsubscribe its recipient, which is its purpose: forwarding a mail forwards the link. GET changes
nothing, so scanners that open links do no harm. The app stores no IP address and no user agent, sets no cookie, loads
nothing. Without a token a mail that asks for unsubscribing is not acted upon: anybody can write anybody's name into
From.

BUGS. The page shows the first letter and the domain of the address to whoever has the link (`show_address=False` hides
it). A short mailto token that could not carry the address counts only for mail from that address, so people who answer
from another one need the subject. Two requests for the same subscription in one minute are one event. The checker
verifies no signature and knows no public suffixes.

    RFC 2369 2, 3.2       the field, mailto and https                     unsubscribe_headers
    RFC 2919 3            List-Id                                         check_unsubscribe_headers
    RFC 3986 2            what a URI may hold                             unsubscribe_headers
    RFC 5297              the construction of the token's seal            UnsubscribeSigner
    RFC 5321 4.5.3.1.1    64 octets of local part                         UnsubscribeLinks.mailto
    RFC 6376 3.5          the h= tag                                      check_unsubscribe_headers
    RFC 7578 4            multipart/form-data                             UnsubscribeApp
    RFC 8058 3.1          one https URI, the Post field, no redirect      unsubscribe_headers, UnsubscribeApp
    RFC 8058 3.2          what the provider POSTs                         UnsubscribeApp
    RFC 8058 4            covered by DKIM                                 check_unsubscribe_headers
    RFC 9110 12.5.4       Accept-Language                                 choose_wording

DECISIONS.
The token carries the address, sealed, because a link has to work when the database that made it is gone; who does not
want that gives a `recipient_id` and `recipient_of`.
The seal is deterministic: one link a subscription, nothing to store, no random number to get wrong. Give a `ref` when
each message shall have a link of its own.
An event id holds the minute: the link is the same for years, and somebody who came back and leaves again would
otherwise be taken for a repetition of the first time.
The sink's every exception is 503: a provider tries again, a person is told the truth.
No filter for robots: a POST with the right body is a person's wish, whatever its user agent.
"""

from mailgate.unsubscribe._app import UnsubscribeApp
from mailgate.unsubscribe._check import Finding, Severity, check_unsubscribe_headers
from mailgate.unsubscribe._headers import UnsubscribeLinks, unsubscribe_headers
from mailgate.unsubscribe._page import Page
from mailgate.unsubscribe._request import UnsubscribeRequest, events, find_subscription, parse_request
from mailgate.unsubscribe._token import Subscription, UnsubscribeSigner
from mailgate.unsubscribe._wording import WORDINGS, Wording, choose_wording

__all__ = [
    "WORDINGS",
    "Finding",
    "Page",
    "Severity",
    "Subscription",
    "UnsubscribeApp",
    "UnsubscribeLinks",
    "UnsubscribeRequest",
    "UnsubscribeSigner",
    "Wording",
    "check_unsubscribe_headers",
    "choose_wording",
    "events",
    "find_subscription",
    "parse_request",
    "unsubscribe_headers",
]
