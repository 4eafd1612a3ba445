"""Seeded DMARC aggregate reports, mails of them and whole data sets, for benches, properties and hostile cases.

The layout is Google's (two spaces, one element a line), because that is what most domain owners receive most of.
Shares: 93 % IPv4, 15 % DKIM fail, 20 % SPF fail, 5 % with a reason, 30 % with two DKIM results.
"""

from __future__ import annotations

import base64
import gzip
import io
import json
import random
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

DAY = 86_400
FIRST_DAY = 1_735_689_600  # 2025-01-01

HEAD = """\
<?xml version="1.0" encoding="UTF-8" ?>
<feedback>
  <version>1.0</version>
  <report_metadata>
    <org_name>{org_name}</org_name>
    <email>noreply-dmarc-support@{org_name}</email>
    <extra_contact_info>https://support.{org_name}/a/answer/2466580</extra_contact_info>
    <report_id>{report_id}</report_id>
    <date_range>
      <begin>{begin}</begin>
      <end>{end}</end>
    </date_range>
  </report_metadata>
  <policy_published>
    <domain>{domain}</domain>
    <adkim>r</adkim>
    <aspf>r</aspf>
    <p>{p}</p>
    <sp>none</sp>
    <pct>100</pct>
    <np>none</np>
  </policy_published>
"""

TAIL = "</feedback>\n"

_REASON = """\
        <reason>
          <type>{type}</type>
          <comment>{comment}</comment>
        </reason>
"""

_DKIM = """\
      <dkim>
        <domain>{domain}</domain>
        <result>{result}</result>
        <selector>{selector}</selector>
      </dkim>
"""

_RECORD = """\
  <record>
    <row>
      <source_ip>{source_ip}</source_ip>
      <count>{count}</count>
      <policy_evaluated>
        <disposition>{disposition}</disposition>
        <dkim>{dkim}</dkim>
        <spf>{spf}</spf>
{reason}      </policy_evaluated>
    </row>
    <identifiers>
      <header_from>{header_from}</header_from>
    </identifiers>
    <auth_results>
{dkims}      <spf>
        <domain>{spf_domain}</domain>
        <result>{spf_result}</result>
      </spf>
    </auth_results>
  </record>
"""

ORGS = ("google.com", "yahoo.example", "outlook.example", "mail.example", "fastmail.example", "gmx.example")


def addresses(rng: random.Random, how_many: int) -> list[str]:
    """Distinct-looking source addresses: 93 % IPv4, the others IPv6."""
    return [
        f"2001:db8:{rng.randrange(65536):x}:{rng.randrange(65536):x}::{rng.randrange(1, 65536):x}"
        if rng.random() < 0.07
        else f"{rng.randrange(1, 224)}.{rng.randrange(256)}.{rng.randrange(256)}.{rng.randrange(1, 255)}"
        for _ in range(how_many)
    ]


def head(
    *,
    org_name: str = "google.com",
    report_id: str = "1",
    domain: str = "example.com",
    begin: int = FIRST_DAY,
    end: int | None = None,
    p: str = "none",
) -> str:
    """Everything before the first record."""
    end = begin + DAY - 1 if end is None else end
    return HEAD.format(org_name=org_name, report_id=report_id, domain=domain, begin=begin, end=end, p=p)


def record(
    *,
    source_ip: str = "192.0.2.1",
    count: object = 1,
    disposition: str = "none",
    dkim: str = "pass",
    spf: str = "pass",
    reason: tuple[str, str] | None = None,
    header_from: str = "example.com",
    dkims: tuple[tuple[str, str, str], ...] = (("example.com", "s1", "pass"),),
    spf_domain: str = "example.com",
    spf_result: str = "pass",
) -> str:
    """One record; nothing is escaped, so that hostile text can be put in."""
    return _RECORD.format(
        source_ip=source_ip,
        count=count,
        disposition=disposition,
        dkim=dkim,
        spf=spf,
        reason="" if reason is None else _REASON.format(type=reason[0], comment=reason[1]),
        header_from=header_from,
        dkims="".join(_DKIM.format(domain=d, selector=s, result=r) for d, s, r in dkims),
        spf_domain=spf_domain,
        spf_result=spf_result,
    )


def random_record(rng: random.Random, pool: list[str], domain: str) -> str:
    """One record with the shares of the module's first lines."""
    dkim = "fail" if rng.random() < 0.15 else "pass"
    spf = "fail" if rng.random() < 0.20 else "pass"
    dkims = [(domain, "s1", dkim)]
    if rng.random() < 0.30:
        dkims.append(("esp.example", "k1", "pass"))
    return record(
        source_ip=rng.choice(pool),
        count=min(10_000, int(rng.paretovariate(1.1))),
        disposition="none",
        dkim=dkim,
        spf=spf,
        reason=("mailing_list", "arc=pass") if rng.random() < 0.05 else None,
        header_from=domain,
        dkims=tuple(dkims),
        spf_domain=f"bounce.{domain}",
        spf_result="softfail" if spf == "fail" else "pass",
    )


def report(records: list[str] | None = None, **fields: object) -> bytes:
    """A whole report; `fields` are those of `head`."""
    body = [record()] if records is None else records
    return (head(**fields) + "".join(body) + TAIL).encode()  # type: ignore[arg-type]


def small_reports(seed: int = 5, how_many: int = 600) -> Iterator[bytes]:
    """Data set S: reports of 5 to 50 records from 3,000 addresses over 60 days."""
    rng = random.Random(seed)
    pool = addresses(rng, 3_000)
    for number in range(how_many):
        records = [random_record(rng, pool, "example.com") for _ in range(rng.randint(5, 50))]
        begin = FIRST_DAY + DAY * (number % 60)
        yield report(records, org_name=rng.choice(ORGS), report_id=f"{rng.getrandbits(64)}", begin=begin)


def distinct_reports(seed: int = 5, how_many: int = 300) -> Iterator[bytes]:
    """Data set D: like S, but each record has names and keys that no other has."""
    rng = random.Random(seed)
    pool = addresses(rng, 3_000)
    serial = 0
    for number in range(how_many):
        records = []
        for _ in range(rng.randint(5, 50)):
            serial += 1
            name = f"n{serial}.example.com"
            dkims = ((name, f"s{serial}", "pass"),)
            records.append(record(source_ip=rng.choice(pool), header_from=name, dkims=dkims, spf_domain=name))
        begin = FIRST_DAY + DAY * (number % 60)
        yield report(records, org_name=rng.choice(ORGS), report_id=f"{rng.getrandbits(64)}", begin=begin)


def write_huge_report(path: Path, seed: int = 7, records: int = 200_000) -> int:
    """Data set B: one report from 20,000 addresses, gzipped to `path`; returns the size of its XML in bytes."""
    rng = random.Random(seed)
    pool = addresses(rng, 20_000)
    size = 0
    with gzip.GzipFile(path, "wb", compresslevel=6, mtime=0) as file:
        size += file.write(head(report_id="huge").encode())
        for _ in range(records):
            size += file.write(random_record(rng, pool, "example.com").encode())
        size += file.write(TAIL.encode())
    return size


def zipped(members: dict[str, bytes], *, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip archive of named members."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def mail(
    attachment: bytes,
    *,
    filename: str = "google.com!example.com!1735689600!1735775999.xml.gz",
    content_type: str = "application/gzip",
    headers: str = "",
    encoding: str = "base64",
) -> bytes:
    """A report mail as receivers send it: a multipart/mixed with a word of text and one attachment."""
    body = base64.encodebytes(attachment) if encoding == "base64" else attachment
    return (
        (
            f"{headers}From: noreply-dmarc-support@google.com\r\nTo: dmarc@example.com\r\n"
            "Subject: Report domain: example.com Submitter: google.com Report-ID: 1\r\n"
            "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b0undary\r\n\r\n"
            "--b0undary\r\nContent-Type: text/plain\r\n\r\nThis is an aggregate report.\r\n"
            f'--b0undary\r\nContent-Type: {content_type}; name="{filename}"\r\n'
            f'Content-Disposition: attachment; filename="{filename}"\r\n'
            f"Content-Transfer-Encoding: {encoding}\r\n\r\n"
        ).encode()
        + body.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        + b"\r\n--b0undary--\r\n"
    )


def story(seed: int = 11, days: int = 60, domain: str = "example.com") -> Iterator[bytes]:
    """The reports of some weeks of a domain with the usual company.

    Its own mail server (DKIM and SPF), a newsletter service (DKIM only), an old web server (SPF only), a billing
    service that signs as itself (misaligned), forwarders, a mailing list, and forgers; five receivers report daily.
    """
    rng = random.Random(seed)
    forgers = addresses(rng, 60)
    forwarders = addresses(rng, 12)
    own, service = ((domain, "mta1", "pass"),), ((domain, "news2", "pass"), ("esp.example", "k1", "pass"))
    for day in range(days):
        weekend = (day + 2) % 7 in (5, 6)
        for org in ORGS[:5]:
            size = rng.uniform(0.5, 1.5) * (0.4 if weekend else 1.0) * (6.0 if org == "google.com" else 1.0)
            records = [
                record(source_ip="192.0.2.10", count=int(120 * size), header_from=domain, dkims=own, spf_domain=domain),
                record(
                    source_ip="2001:db8:25::7", count=int(25 * size), header_from=domain, dkims=own, spf_domain=domain
                ),
            ]
            if day % 7 in (1, 3):
                for last in range(1, 9):
                    records.append(
                        record(
                            source_ip=f"198.51.100.{last}",
                            count=int(90 * size),
                            spf="fail",
                            header_from=f"news.{domain}" if last > 6 else domain,
                            dkims=service,
                            spf_domain="bounce.esp.example",
                        )
                    )
            records.append(
                record(
                    source_ip="203.0.113.80",
                    count=int(6 * size) + 1,
                    dkim="fail",
                    header_from=domain,
                    dkims=(),
                    spf_domain=domain,
                )
            )
            if day > days - 12:
                records.append(
                    record(
                        source_ip="203.0.113.25",
                        count=int(9 * size) + 1,
                        dkim="fail",
                        spf="fail",
                        header_from=domain,
                        dkims=(("billing.example", "b1", "pass"),),
                        spf_domain="billing.example",
                    )
                )
            for _ in range(rng.randint(1, 4)):
                records.append(
                    record(
                        source_ip=rng.choice(forwarders),
                        count=rng.randint(1, 4),
                        spf="fail",
                        header_from=domain,
                        dkims=own,
                        spf_domain=domain,
                        spf_result="fail",
                    )
                )
            if rng.random() < 0.4:
                records.append(
                    record(
                        source_ip="198.51.100.200",
                        count=rng.randint(1, 6),
                        dkim="fail",
                        spf="fail",
                        reason=("mailing_list", "arc=pass"),
                        header_from=domain,
                        dkims=((domain, "mta1", "fail"),),
                        spf_domain="lists.example",
                    )
                )
            for _ in range(rng.randint(0, 5)):
                records.append(
                    record(
                        source_ip=rng.choice(forgers),
                        count=min(40, int(rng.paretovariate(0.9))),
                        dkim="fail",
                        spf="fail",
                        header_from=rng.choice((domain, domain, f"shop.{domain}")),
                        dkims=(),
                        spf_domain="forged.example",
                        spf_result="none",
                    )
                )
            yield report(
                records, org_name=org, report_id=f"{org}-{day}", domain=domain, begin=FIRST_DAY + day * DAY, p="none"
            )


def tls_report(day: int = 0, *, domain: str = "example.com", success: int = 120, failure: int = 0) -> bytes:
    """A TLS report of one day with one policy."""
    begin = datetime.fromtimestamp(FIRST_DAY + day * DAY, UTC)
    end = begin + timedelta(seconds=DAY - 1)
    details = [{"result-type": "certificate-expired", "sending-mta-ip": "192.0.2.99", "failed-session-count": failure}]
    return json.dumps(
        {
            "organization-name": "Example Mail",
            "date-range": {"start-datetime": begin.isoformat(), "end-datetime": end.isoformat()},
            "contact-info": "tls@mail.example",
            "report-id": f"{begin:%Y-%m-%d}_{domain}",
            "policies": [
                {
                    "policy": {"policy-type": "sts", "policy-domain": domain, "policy-string": ["version: STSv1"]},
                    "summary": {"total-successful-session-count": success, "total-failure-session-count": failure},
                    "failure-details": details if failure else [],
                }
            ],
        }
    ).encode()
