"""Rows for the code words of filters in front of mailboxes and of relays behind senders; see `_reply_rows_mailbox`."""

from __future__ import annotations

from mailgate.records._reasons import Reason
from mailgate.records._reply_rules import ReplyRow, row

_GATEWAYS = (
    row(
        "provider:mimecast-greylist",
        Reason.GREYLISTED,
        "internal resource is temporarily unavailable; internal resources are temporarily unavailable",
        sample="451 Internal resource is temporarily unavailable - https://community.mimecast.com/docs/DOC-1369#451 "
        "[aBcDeF.us32]",
    ),
    row(
        "provider:mimecast-envelope",
        Reason.SENDER_REJECTED,
        """
        administrative prohibition envelope blocked; spf sender invalid envelope rejected;
        dmarc sender invalid envelope rejected; envelope blocked; envelope rejected
        """,
        unless="spf; dmarc; dkim",
        sample="550 Administrative prohibition - envelope blocked - https://community.mimecast.com/docs/DOC-1369#550",
    ),
    row(
        "provider:mimecast-signature",
        Reason.VIRUS,
        "email rejected due to security policies; mcspamsignature~; mcvirus~",
        sample="554 email rejected due to security policies - MCSpamSignature.sa.2.2",
    ),
    row(
        "provider:mimecast-anti-spoofing",
        Reason.POLICY,
        """
        rejected by header based anti spoofing policy; rejected by header based manually blocked senders;
        customer domain rejected by header; header based anti spoofing
        """,
        sample="550 Rejected by header based Anti-Spoofing policy - https://community.mimecast.com/docs/DOC-1369#550",
    ),
    row(
        "provider:mimecast-account",
        Reason.TEMPORARY_FAILURE,
        "account inbounds disabled; account outbounds disabled; account service is temporarily unavailable",
        sample="451 Account inbounds disabled - https://community.mimecast.com/docs/DOC-1369#451",
    ),
    row(
        "provider:proofpoint-block",
        Reason.BLOCKED,
        "ipcheck proofpoint com; support proofpoint com dnsbl lookup; blocked see https; blocked see http",
        sample="554 Blocked - see https://ipcheck.proofpoint.com/?ip=192.0.2.25",
    ),
    row(
        "provider:cloudmark-block",
        Reason.BLOCKED,
        "csi cloudmark com; cloudmark ... reset request; cloudmark com en csi",
        sample="550 Client host blocked for spamming issues. Ref http://csi.cloudmark.com/reset-request/?ip=192.0.2.25",
    ),
    row(
        "provider:cisco-sbrs",
        Reason.REPUTATION,
        "senderbase~; sbrs; talosintelligence com; low senderbase reputation; ironport reputation",
        sample="554 Your access to this mail system has been rejected due to the sending MTA's poor reputation. If "
        "you believe that this failure is in error, please contact the intended recipient via alternate "
        "means. SBRS -4.2",
    ),
    row(
        "provider:cisco-access",
        Reason.BLOCKED,
        """
        your access to submit messages to this e mail system has been rejected;
        your access to this mail system has been rejected
        """,
        unless="reputation",
        sample="550 #5.7.1 Your access to submit messages to this e-mail system has been rejected.",
    ),
    row(
        "provider:barracuda-reputation",
        Reason.BLOCKED,
        "barracudacentral~; barracudanetworks com reputation; barracuda reputation; blocked using barracuda",
        sample="550 permanent failure for one or more recipients (user@example.com:blocked using Barracuda Reputation)",
    ),
    row(
        "provider:barracuda-blocked",
        Reason.BLOCKED,
        "permanent failure for one or more recipients xaddr blocked",
        sample="550 permanent failure for one or more recipients (user@example.com:blocked)",
    ),
    row(
        "provider:barracuda-content",
        Reason.SPAM,
        "message content rejected ube; message content rejected spam",
        sample="550 5.7.1 Message content rejected, UBE, id=00000-22-225",
    ),
    row(
        "provider:messagelabs-spam",
        Reason.SPAM,
        """
        requested action not taken this email matches one or more of the ... bulk;
        message filtered refer to the troubleshooting page
        """,
        sample="501 Message filtered. Refer to the Troubleshooting page at "
        "http://www.symanteccloud.com/troubleshooting",
    ),
    row(
        "provider:amavis-banned",
        Reason.CONTENT_REJECTED,
        """
        bounce id ... banned; reject id ... banned; banned contents; id banned; discarded id ... banned;
        inappropriate ... banned
        """,
        sample="554-5.7.0 Bounce, id=06214-01 - BANNED: application/octet-stream,.exe,invoice.exe",
    ),
    row(
        "provider:amavis-header",
        Reason.CONTENT_REJECTED,
        "bounce id ... bad header; reject id ... bad header; id ... bad header",
        sample="554-5.6.0 Bounce, id=06214-02 - BAD HEADER",
    ),
    row(
        "provider:amavis-virus",
        Reason.VIRUS,
        "bounce id ... infected; reject id ... infected; id ... virus infected",
        sample="554 5.7.0 Reject, id=20025-08 - INFECTED: Eicar-Test-Signature",
    ),
    row(
        "provider:amavis-spam",
        Reason.SPAM,
        "bounce id ... spam; reject id ... spam; considered unsolicited bulk email",
        sample="554 5.7.0 Reject, id=20025-09 - SPAM",
    ),
)

_RELAYS = (
    row(
        "provider:ses-suppressed",
        Reason.SUPPRESSED_UPSTREAM,
        """
        address is on the suppression list; amazon ses has suppressed sending to this address;
        amazon ses did not send the message to this address because it is on the suppression list;
        on your account s suppression list; onaccountsuppressionlist; recent history of bouncing as an invalid address
        """,
        sample="Amazon SES has suppressed sending to this address because it has a recent history of bouncing as an "
        "invalid address.",
    ),
    row(
        "provider:relay-suppressed",
        Reason.SUPPRESSED_UPSTREAM,
        """
        not delivering to previously bounced address; not delivering to a user who marked your messages as spam;
        not delivering to an unsubscribed address; bounced address; unsubscribed address; spam reporting address;
        recipient is on ... suppression list; in the suppression list; is on ... suppression list;
        suppressed recipient; recipient suppressed; recipient is suppressed; address is suppressed;
        inactive recipient ... hard bounce; you tried to send to ... recipient that has been marked as inactive;
        marked as inactive; rejected by ... suppression; will not be delivered ... suppression list
        """,
        sample="605 Not delivering to previously bounced address",
    ),
    row(
        "provider:ses-identity",
        Reason.RELAY_DENIED,
        "email address is not verified the following identities failed; identities failed the check in region",
        sample="554 Message rejected: Email address is not verified. The following identities failed the check in "
        "region AP-NORTHEAST-1: user@example.jp",
    ),
    row(
        "provider:ses-content",
        Reason.CONTENT_REJECTED,
        """
        transaction failed duplicate header; transaction failed expected ... got; transaction failed missing final;
        attachment content rejected; message content ... attachment ... not supported
        """,
        sample="554 Transaction failed: Duplicate header 'DKIM-Signature'.",
    ),
    row(
        "provider:ses-rate",
        Reason.RATE_LIMITED,
        "throttling failure; maximum sending rate exceeded",
        sample="454 Throttling failure: Maximum sending rate exceeded.",
    ),
)

GATEWAY_ROWS: tuple[ReplyRow, ...] = (*_GATEWAYS, *_RELAYS)
