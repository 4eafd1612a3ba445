"""Messages gone wrong by chance: what a reader of any bytes is fed, the same for every seed."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence


def mutated(messages: Sequence[bytes], words: Sequence[bytes], *, seed: int, rounds: int) -> Iterator[bytes]:
    """`rounds` messages, each with one to six changes: a word put in, bytes taken out, one changed, a piece of another
    message put in, a piece repeated."""
    chance = random.Random(seed)
    for _ in range(rounds):
        message = bytearray(chance.choice(messages))
        for _ in range(chance.randint(1, 6)):
            at = chance.randrange(len(message) + 1)
            match chance.randrange(5):
                case 0:
                    message[at:at] = chance.choice(words)
                case 1:
                    del message[at : at + chance.randint(1, 80)]
                case 2:
                    message[at : at + 1] = bytes([chance.randrange(256)])
                case 3:
                    other = chance.choice(messages)
                    start = chance.randrange(len(other))
                    message[at:at] = other[start : start + chance.randint(1, 400)]
                case _:
                    message[at:at] = message[at : at + chance.randint(1, 200)]
        yield bytes(message)
