"""What can be wrong with the form of an address, as words for programs and as sentences for people."""

from __future__ import annotations

from enum import StrEnum


class SyntaxReason(StrEnum):
    """What is wrong with the form of an address."""

    EMPTY = "empty"
    NO_AT_SIGN = "no_at_sign"
    TWO_AT_SIGNS = "two_at_signs"
    EMPTY_LOCAL = "empty_local"
    EMPTY_DOMAIN = "empty_domain"
    WHITE_SPACE = "white_space"
    CONTROL_CHARACTER = "control_character"
    COMMENT = "comment"
    ANGLE_BRACKET = "angle_bracket"
    BACKSLASH = "backslash"
    MISPLACED_QUOTE = "misplaced_quote"
    LOCAL_CHARACTER = "local_character"
    LEADING_DOT = "leading_dot"
    TRAILING_DOT = "trailing_dot"
    TWO_DOTS = "two_dots"
    QUOTE_NOT_CLOSED = "quote_not_closed"
    TEXT_AFTER_QUOTE = "text_after_quote"
    EMPTY_QUOTES = "empty_quotes"
    QUOTED_LOCAL = "quoted_local"
    UNSAFE_CHARACTER = "unsafe_character"
    UNSTABLE_CHARACTER = "unstable_character"
    SMTPUTF8_LOCAL = "smtputf8_local"
    LOCAL_TOO_LONG = "local_too_long"
    DOMAIN_CHARACTER = "domain_character"
    UNDERSCORE = "underscore"
    EMPTY_LABEL = "empty_label"
    FINAL_DOT = "final_dot"
    HYPHEN = "hyphen"
    LABEL_TOO_LONG = "label_too_long"
    DOMAIN_TOO_LONG = "domain_too_long"
    ADDRESS_TOO_LONG = "address_too_long"
    DOTLESS_DOMAIN = "dotless_domain"
    NUMERIC_TLD = "numeric_tld"
    ADDRESS_LITERAL = "address_literal"
    BAD_LITERAL = "bad_literal"
    LITERAL_NOT_CLOSED = "literal_not_closed"
    BAD_A_LABEL = "bad_a_label"
    IDNA_DISALLOWED = "idna_disallowed"
    IDNA_UNASSIGNED = "idna_unassigned"
    IDNA_CONTEXT = "idna_context"
    IDNA_COMBINING_MARK = "idna_combining_mark"
    IDNA_HYPHENS = "idna_hyphens"
    IDNA_NOT_NORMALISED = "idna_not_normalised"
    IDNA_BIDI = "idna_bidi"


# One plain sentence a reason; the place is added by `SyntaxFault.message`.
WORDS = {
    SyntaxReason.EMPTY: "there is nothing here",
    SyntaxReason.NO_AT_SIGN: "there is no @",
    SyntaxReason.TWO_AT_SIGNS: "a second @ is not allowed",
    SyntaxReason.EMPTY_LOCAL: "nothing stands before the @",
    SyntaxReason.EMPTY_DOMAIN: "nothing stands behind the @",
    SyntaxReason.WHITE_SPACE: "white space is not allowed",
    SyntaxReason.CONTROL_CHARACTER: "a control character is not allowed",
    SyntaxReason.COMMENT: "parentheses (a comment) are not allowed in an envelope address",
    SyntaxReason.ANGLE_BRACKET: "angle brackets and names do not belong to the address",
    SyntaxReason.BACKSLASH: "a backslash is only allowed inside quotes",
    SyntaxReason.MISPLACED_QUOTE: "a quote inside a local part that does not begin with one",
    SyntaxReason.LOCAL_CHARACTER: "this character is not allowed before the @",
    SyntaxReason.LEADING_DOT: "the local part begins with a dot",
    SyntaxReason.TRAILING_DOT: "the local part ends with a dot",
    SyntaxReason.TWO_DOTS: "two dots in a row",
    SyntaxReason.QUOTE_NOT_CLOSED: "the opening quote has no closing one",
    SyntaxReason.TEXT_AFTER_QUOTE: "only an @ may follow the closing quote",
    SyntaxReason.EMPTY_QUOTES: "the quotes hold nothing",
    SyntaxReason.QUOTED_LOCAL: "the local part is quoted, which is legal and switched off (allow_quoted_local)",
    SyntaxReason.UNSAFE_CHARACTER: "an invisible, private or unassigned character, or a mark with nothing to mark",
    SyntaxReason.UNSTABLE_CHARACTER: "this character turns into a forbidden one when the text is normalised",
    SyntaxReason.SMTPUTF8_LOCAL: "the local part is not ASCII, which is switched off (allow_smtputf8)",
    SyntaxReason.LOCAL_TOO_LONG: "the local part is longer than allowed",
    SyntaxReason.DOMAIN_CHARACTER: "this character is not allowed in a domain",
    SyntaxReason.UNDERSCORE: "no host name has an underscore",
    SyntaxReason.EMPTY_LABEL: "an empty label: two dots in a row, or a dot at the start",
    SyntaxReason.FINAL_DOT: "the domain ends with a dot",
    SyntaxReason.HYPHEN: "a label begins or ends with a hyphen",
    SyntaxReason.LABEL_TOO_LONG: "a label is longer than 63 octets",
    SyntaxReason.DOMAIN_TOO_LONG: "the domain is longer than 253 octets",
    SyntaxReason.ADDRESS_TOO_LONG: "the address is longer than 254 octets",
    SyntaxReason.DOTLESS_DOMAIN: "the domain is a single label",
    SyntaxReason.NUMERIC_TLD: "no top-level domain is a number",
    SyntaxReason.ADDRESS_LITERAL: "an IP address for a domain, which is legal and switched off (allow_address_literal)",
    SyntaxReason.BAD_LITERAL: "this is no IPv4 address, and no IPv6 address with its tag",
    SyntaxReason.LITERAL_NOT_CLOSED: "the opening bracket has no closing one at the end",
    SyntaxReason.BAD_A_LABEL: "a label with xn-- that decodes to no valid name",
    SyntaxReason.IDNA_DISALLOWED: "this character is not allowed in an internationalised domain (IDNA 2008)",
    SyntaxReason.IDNA_UNASSIGNED: "a character that this Python's Unicode does not know",
    SyntaxReason.IDNA_CONTEXT: "this character is only allowed between certain others (RFC 5892 A)",
    SyntaxReason.IDNA_COMBINING_MARK: "a label begins with a combining mark",
    SyntaxReason.IDNA_HYPHENS: "hyphens in third and fourth place of an internationalised label",
    SyntaxReason.IDNA_NOT_NORMALISED: "a label that is not in normal form",
    SyntaxReason.IDNA_BIDI: "letters of both directions are mixed against the bidi rule (RFC 5893 2)",
}
