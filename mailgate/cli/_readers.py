"""How the verbs that read mail set up the readers: whose mail it is, and the caller's own rows."""

from __future__ import annotations

import argparse

from mailgate.bounce import BounceSettings, MatchSettings, Rules, read_rules
from mailgate.cli import _exit
from mailgate.cli._keyfile import HELP as KEY_FILE_HELP
from mailgate.cli._keyfile import read_key_file
from mailgate.records import KeyRing, ParseError, RefSigner

_MAX_RULES_BYTES = 1_000_001


def add_ownership_options(parser: argparse.ArgumentParser | argparse._ArgumentGroup) -> None:
    """The options that prove that a report is about a message of ours."""
    parser.add_argument("--key-file", metavar="FILE", help=KEY_FILE_HELP)
    parser.add_argument(
        "--verp-domain",
        action="append",
        default=[],
        metavar="DOMAIN",
        help="bounces+user=host@DOMAIN names the recipient; may be repeated",
    )


def add_rules_option(parser: argparse.ArgumentParser | argparse._ArgumentGroup) -> None:
    """The option for the caller's own rows."""
    parser.add_argument("--rules", metavar="FILE", help="your own rows (TOML) for reasons and dialects, before ours")


def keys_of(args: argparse.Namespace) -> KeyRing | None:
    """The secrets of --key-file."""
    return None if args.key_file is None else read_key_file(args.key_file)


def bounce_settings(args: argparse.Namespace, keys: KeyRing | None) -> BounceSettings:
    """How bounces are read."""
    signer = None if keys is None else RefSigner(keys)
    settings = BounceSettings(match=MatchSettings(ref_signer=signer, verp_domains=tuple(args.verp_domain)))
    return settings if args.rules is None else _read_rules(args.rules).merged_into(settings)


def _read_rules(path: str) -> Rules:
    try:
        with open(path, "rb") as file:
            return read_rules(file.read(_MAX_RULES_BYTES))
    except OSError as error:
        raise _exit.Exit(_exit.CONFIG, f"{path}: {(error.strerror or str(error)).lower()}") from error
    except ParseError as error:
        raise _exit.Exit(_exit.CONFIG, f"{path}: {error.message}") from error
