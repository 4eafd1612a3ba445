r"""Messages that wait in a Maildir: find them, read them, move what is done from `new` to `cur`.

Use it when mail for a program (bounces, complaints, reports) is delivered into a Maildir and must be worked through
by a cron job, next to an IMAP server or mail reader that may use the same Maildir. It knows file names and bytes, and
no message format.

Smallest running example:

>>> import os, tempfile
>>> box = tempfile.TemporaryDirectory()
>>> for folder in ("tmp", "new", "cur"):
...     os.mkdir(os.path.join(box.name, folder))
>>> with open(os.path.join(box.name, "new", "1700000000.M1P2.mx"), "wb") as file:
...     _ = file.write(b"Subject: hello\n\nhi\n")
>>> with Maildir(box.name) as maildir:
...     for message in maildir.pending():
...         reading = maildir.read(message)
...         if reading.data is not None:
...             print(message.name, len(reading.data), maildir.finish(message).outcome)
1700000000.M1P2.mx 19 finished
>>> os.listdir(os.path.join(box.name, "cur"))
['1700000000.M1P2.mx:2,S']
>>> box.cleanup()

INPUTS: the path of a folder that holds `new` and `cur`; with `cur=True` also what is in `cur`, whatever its flags
(`message.flags` tells); with `folders=True` also the sub-folders whose name begins with a dot, at any depth. A message
longer than `max_bytes` (default 25 MiB) is not read. Any file name is taken; hidden files, directories, links, pipes
and `tmp` are not.

OUTCOMES. `pending` gives a `Waiting` for each message, in delivery order. `read` gives a `Reading`: bytes, or
`vanished`, `too_large`, `not_a_file`, `unreadable`. `finish` and `finish_many` give a `Finish`: `finished`,
`vanished`, `failed`; `keep` gives `kept`. What happens to one file is a value, and the others go on.
Errors: `MaildirBusy` when another scan is under way, `MaildirError` when the folder is no Maildir or may not be
read and changed by this user.

A message is finished after what it said has been stored. Killed at any instant, a scan leaves each message either in
`new`, to be read again, or in `cur`; never both, never none. No file is deleted, rewritten or replaced.
100,000 messages cost one listing and one sort: their names are held, their contents are not.

SECURITY: links are not followed and pipes are not waited for, so that who can write into the Maildir cannot make the
scan read other files or hang. File names and contents are input from outside.

BUGS: two processes on two machines that share a Maildir over NFS are kept apart only where the server supports locks.
A child that a C library forks behind Python's back holds the lock as long as it lives. A sub-folder that is scanned
on its own while its parent's scan has not come to it yet is busy then for the parent (`MaildirBusy`).

DECISIONS
  The lock is on the folder itself, not on a file in it.
    Nothing is left behind, no mail program looks at it, and the kernel releases it at the death of the process.
  `cur` holds what others have seen, so it is read only when asked, and then all of it.
    Flags say what a human did, not what was read here; reading twice is harmless because events have ids.
  A name that is taken in `cur` gets a number behind its unique part.
    rename(2) replaces silently, and a lost message is worse than an odd name.
"""

from mailgate.maildir._errors import MaildirBusy, MaildirError
from mailgate.maildir._maildir import Maildir, read
from mailgate.maildir._waiting import Finish, Outcome, Reading, Waiting, delivery_order

__all__ = [
    "Finish",
    "Maildir",
    "MaildirBusy",
    "MaildirError",
    "Outcome",
    "Reading",
    "Waiting",
    "delivery_order",
    "read",
]
