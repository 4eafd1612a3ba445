r"""DMARC aggregate reports and TLS reports: read, added up without counting twice, and judged.

Use it when receivers send you reports about mail in your domain's name: to see who sends as you and who of them fails,
to keep that for years, and to know when the policy can be tightened. Smallest running example:

>>> data = b'''<feedback><report_metadata><org_name>mail.example</org_name><report_id>1</report_id>
... <date_range><begin>1735689600</begin><end>1735775999</end></date_range></report_metadata>
... <policy_published><domain>example.com</domain><p>none</p></policy_published>
... <record><row><source_ip>192.0.2.1</source_ip><count>3</count><policy_evaluated><disposition>none</disposition>
... <dkim>pass</dkim><spf>fail</spf></policy_evaluated></row>
... <identifiers><header_from>example.com</header_from></identifiers></record></feedback>'''
>>> report = parse(data)
>>> report.org_name, report.messages, report.rows[0].dmarc_pass
('mail.example', 3, True)
>>> state = read(data).merge(read(data))                       # the same report twice counts once
>>> shown = view(state)["domains"]["example.com"]
>>> shown["messages"], shown["readiness"]["answer"]
(3, 'not_enough_evidence')

Four steps, each of use alone:
  reading    `parse`, `parse_all`: full rows. `read`, `contributions`: what a report adds, without rows.
  adding     `Rollup` (merged in any order; JSON), `rollup` (files, any executor), `RollupStore` (a database).
  looking    `view` (JSON values, readiness included), then `name_sources` with `Networks` or `ptr_names`.
  showing    `page` (one HTML page), `to_csv`, `tls_to_csv`, `DmarcApp` (WSGI, read-only).

INPUTS: bytes or a `Mail`: XML, JSON, gzip or zip of them, or a mail with such attachments however encoded (base64 that
no header tells of too), mails in mails and mails attached as files; content decides what a thing is, never its name.
At most 256 MiB, also unpacked, 200 times the packed size, one level of packing, 100 zip members; see `Limits` for
every number. Periods are seconds since 1970, days are UTC.

OUTCOMES: `AggregateReport`, `TlsReport`, or a `Refusal` with class, field and byte offset (in the innermost document's
UTF-8 form, from the first character of its XML). One bad report never stops others. Refused is what cannot be counted
correctly, by the first that applies:
  archives    archive_corrupt, archive_nested, archive_too_large, archive_no_report
  documents   not_a_report, dtd_forbidden, xml_not_wellformed, json_not_wellformed
  contents    missing_report_metadata, missing_policy_published, ambiguous_structure (two of what identifies a report),
              missing_report_id, missing_org_name (and no email), missing_date_range, bad_date_range,
              missing_policy_domain, no_records
  limits      too_large, too_deep, too_many_parts, too_many_elements, field_too_long, token_too_long
What is odd but can be counted is read through and named in `defects`:
  text        bom, leading_whitespace, utf16, invalid_bytes (each became U+FFFD), unknown_encoding, encoding_mismatch,
              trailing_content
  header      namespace, data_range_alias, missing_org_name, long_period (over 25 hours), fractional_timestamp,
              bad_policy_value, empty_policy_value
  records     bad_record (skipped: no address or no count of ASCII digits), missing_alignment_result (not a pass),
              missing_header_from (the policy domain stands in), identities_alias, unspecified_reason, cells_capped
  TLS         missing_contact_info, missing_policy_domain, missing_sending_mta_ip, missing_time_zone, bad_policy_type,
              bad_count (counts nothing), bad_failure_details, no_policies, mx_host_pattern, mx_host_not_a_list,
              additional_info_uri
Errors: ParseError from `parse` and from JSON that is no rollup (`bad_state`), SealConflict, StoreError, ValueError for
limits that are none.

SECURITY: reports are hostile. No entity is declared and nothing is fetched: a DOCTYPE is refused before its subset is
read. Nothing is written to disk, no name in an archive is a path. Text of strangers stays raw in records and is escaped
where it is written (HTML, CSV cells, terminal). Anybody can send a report: set `authserv_ids`, so that a better trusted
copy wins over a forged one and views can require trust, and make sure that your server removes such fields from mail
that comes in. `DmarcApp` knows no users.

BUGS
  An element is known by its local name alone: `row` of an extension directly in a record is a second row.
  Text after a child element is taken for an element that holds both; no reporter does it.
  XML that is not well-formed is refused whole, though a person could read some of it.
  A prefix that is declared nowhere counts as not well-formed. Mails in archives, archives in archives, opaque S/MIME,
  winmail.dat and XML behind prose in a mail's text are not looked into.
  Alignment is the reporter's word; raw results are shown and never made a pass.
  `forwarded_like` is a guess by results: a sender whose SPF is broken and whose DKIM works looks the same.
  Where DMARC was not judged, trust takes a parent domain of two labels or more for the same organisation.
  Long reports are spread over days as if their mail were spread evenly.

RFC sections and who follows them: RFC 7489 7.2, RFC 9990 3.1 (reports): `parse_all`. RFC 9990 3.5.2 (mails):
`looks_like_report`, `trust_of`. RFC 9989 7.4 (when to tighten): `view`. RFC 8460 4 (TLS reports): `parse_all`.
RFC 8601 2.2 (Authentication-Results): `trust_of`. RFC 9110 13.1.2 (If-None-Match): `DmarcApp`.

DECISIONS
  A report's identity is organisation, id, policy domain, begin and end.
    Fewer lose reports in the wild: ids are used again each day, and the same id is sent for several domains.
  A rollup is a map from identity to the greatest copy; numbers are added up in the view only.
    So merging is associative, commutative and idempotent, and reading again can never count twice.
  A copy is greater by trust first, then by messages and records.
    A forged larger copy must not replace what our own server vouched for; a resend with more rows does replace.
  Records are known by their skeleton, and only new skeletons go to Expat.
    It is proved in `_shape`, compared with Expat on every sample, and makes big reports cheaper than Expat alone.
  Truncated XML is refused, not repaired.
    A report that undercounts looks like one that does not.
  Readiness is a list of conditions with their numbers.
    A percentage of passing mail hides the one sender that matters.
"""

from mailgate.dmarc._app import DmarcApp
from mailgate.dmarc._contribution import Cell, Contribution, TlsContribution, Trust
from mailgate.dmarc._facet import Outcome
from mailgate.dmarc._limits import DEFAULT_LIMITS, Limits
from mailgate.dmarc._names import Networks, name_sources, ptr_names
from mailgate.dmarc._page import page
from mailgate.dmarc._parse import parse, parse_all
from mailgate.dmarc._read import contributions, looks_like_report, read, rollup
from mailgate.dmarc._report import (
    AggregateReport,
    DkimResult,
    OverrideReason,
    PolicyPublished,
    Refusal,
    ReportRow,
    SkippedRecord,
    SpfResult,
)
from mailgate.dmarc._rollup import Refused, Rollup
from mailgate.dmarc._seal import SealConflict
from mailgate.dmarc._sheet import tls_to_csv, to_csv
from mailgate.dmarc._sources import SourceClass, classify
from mailgate.dmarc._store import RollupStore, StoreError
from mailgate.dmarc._tls import TlsFailure, TlsPolicy, TlsReport
from mailgate.dmarc._trust import trust_of
from mailgate.dmarc._view import ViewOptions, view

__all__ = [
    "DEFAULT_LIMITS",
    "AggregateReport",
    "Cell",
    "Contribution",
    "DkimResult",
    "DmarcApp",
    "Limits",
    "Networks",
    "Outcome",
    "OverrideReason",
    "PolicyPublished",
    "Refusal",
    "Refused",
    "ReportRow",
    "Rollup",
    "RollupStore",
    "SealConflict",
    "SkippedRecord",
    "SourceClass",
    "SpfResult",
    "StoreError",
    "TlsContribution",
    "TlsFailure",
    "TlsPolicy",
    "TlsReport",
    "Trust",
    "ViewOptions",
    "classify",
    "contributions",
    "looks_like_report",
    "name_sources",
    "page",
    "parse",
    "parse_all",
    "ptr_names",
    "read",
    "rollup",
    "tls_to_csv",
    "to_csv",
    "trust_of",
    "view",
]
