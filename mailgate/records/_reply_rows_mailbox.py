"""Rows for the code words of the large mailbox providers: Google, Microsoft, Yahoo and AOL, Apple, Facebook.

Provider rows are tried before everything else. Words that only one provider writes need no host name; words that
others write too are bound to `hosts`, the names of the provider's mail hosts. Sources are the providers' postmaster
pages and replies seen in real reports.
"""

from __future__ import annotations

from mailgate.records._reasons import Reason
from mailgate.records._reply_rules import ReplyRow, row

APPLE = ("icloud.com", "apple.com", "me.com", "mac.com")

_GOOGLE = (
    row(
        "provider:google-no-such-user",
        Reason.MAILBOX_NOT_FOUND,
        "support google com ... p nosuchuser; support google com mail answer 6596",
        sample="550-5.1.1 The email account that you tried to reach does not exist. Please try\n"
        "550-5.1.1 double-checking. Learn more at\n"
        "550 5.1.1 https://support.google.com/mail/?p=NoSuchUser y3si675602plr.1 - gsmtp",
    ),
    row(
        "provider:google-disabled",
        Reason.MAILBOX_DISABLED,
        "support google com ... p disableduser",
        sample="550 5.2.1 The email account that you tried to reach is disabled. For more information, go to "
        "https://support.google.com/mail/?p=DisabledUser - gsmtp",
    ),
    row(
        "provider:google-full",
        Reason.MAILBOX_FULL,
        "support google com ... p overquota~; inbox is out of storage space",
        sample="452 4.2.2 The recipient's inbox is out of storage space. Please direct the recipient to "
        "https://support.google.com/mail/?p=OverQuotaTemp - gsmtp",
    ),
    row(
        "provider:google-receiving-rate",
        Reason.RATE_LIMITED,
        "is receiving mail at a rate; is receiving mail too quickly; p receivingrate~",
        sample="450 4.2.1 The user you are trying to contact is receiving mail at a rate that prevents additional "
        "messages from being delivered. Please resend your message at a later time. - gsmtp",
    ),
    row(
        "provider:google-sending-limit",
        Reason.RATE_LIMITED,
        """
        email quota exceeded; daily ... sending quota exceeded; daily smtp relay ... limit exceeded;
        daily user sending limit exceeded; sending limit for smtp relay; p dailysendinglimit~;
        reached a limit for sending mail
        """,
        sample="550 5.4.5 Daily user sending limit exceeded. For more information on Gmail sending limits go to "
        "https://support.google.com/a/answer/166852 - gsmtp",
    ),
    row(
        "provider:google-unauthenticated",
        Reason.AUTH_FAILED,
        """
        unauthenticated email from; blocked because the sender is unauthenticated; p unauthenticatedemail;
        p dmarcrejection; p unauthorizedmail; gmail requires all senders to authenticate;
        does not pass authentication checks spf and dkim
        """,
        sample="550-5.7.26 Unauthenticated email from example.net is not accepted due to domain's\n"
        "550-5.7.26 DMARC policy. Please contact the administrator of example.net domain if\n"
        "550 5.7.26 this was a legitimate mail.",
    ),
    row(
        "provider:google-ptr",
        Reason.PTR_MISSING,
        """
        p ipv6autherror; ip address sending this message does not have a ptr record;
        does not meet ipv6 sending guidelines regarding ptr records
        """,
        sample="550 5.7.25 [192.0.2.25] The IP address sending this message does not have a PTR record setup, or "
        "the corresponding forward DNS entry does not point to the sending IP. - gsmtp",
    ),
    row(
        "provider:google-unusual-rate-limited",
        Reason.RATE_LIMITED,
        """
        unusual rate of ... mail ... rate limited; gmail has detected an unusual rate of mail originating;
        p unsolicitedratelimiterror
        """,
        statuses=("4.7.*",),
        unless="temporarily blocked",
        sample="421 4.7.28 Gmail has detected an unusual rate of mail originating from your IP address 192.0.2.25. "
        "To protect our users from spam, mail has been temporarily rate limited. - gsmtp",
    ),
    row(
        "provider:google-unusual-rate",
        Reason.BLOCKED,
        """
        not authorized to send ... email directly to our servers; unusual rate of unsolicited mail;
        detected an unusual rate of mail; p unsolicitediperror
        """,
        sample="550 5.7.1 [192.0.2.25] Our system has detected an unusual rate of unsolicited mail originating from "
        "your IP address. To protect our users from spam, mail sent from your IP address has been blocked. - "
        "gsmtp",
    ),
    row(
        "provider:google-reputation",
        Reason.REPUTATION,
        """
        suspicious due to the very low reputation; suspicious due to the nature of the content and or the links;
        low reputation of the sending
        """,
        sample="550-5.7.1 [192.0.2.25] Our system has detected that this message is likely suspicious due to the "
        "very low reputation of the sending domain. To best protect our users from spam, the message has "
        "been blocked. - gsmtp",
    ),
    row(
        "provider:google-unsolicited",
        Reason.SPAM,
        "likely unsolicited mail; p unsolicitedmessageerror; likely suspicious due to the content",
        sample="550-5.7.1 [192.0.2.25 12] Our system has detected that this message is\n"
        "550-5.7.1 likely unsolicited mail. To reduce the amount of spam sent to Gmail,\n"
        "550 5.7.1 this message has been blocked. - gsmtp",
    ),
    row(
        "provider:google-blocked-content",
        Reason.POLICY,
        "content presents a potential; p blockedmessage",
        sample="552-5.7.0 This message was blocked because its content presents a potential\n"
        "552 5.7.0 security issue. Please visit https://support.google.com/mail/?p=BlockedMessage - gsmtp",
    ),
    row(
        "provider:google-malformed",
        Reason.CONTENT_REJECTED,
        """
        p rfcmessagenoncompliant; messages with multiple addresses in from;
        messages missing a valid ... header are not accepted; messages missing a valid address in from;
        this message is not rfc 5322 compliant
        """,
        sample="550-5.7.1 [192.0.2.25 13] Messages with multiple addresses in From:\n"
        "550 5.7.1 header are not accepted. - gsmtp",
    ),
    row(
        "provider:google-relay",
        Reason.RELAY_DENIED,
        "mail relay denied; p mailrelay~",
        sample="550 5.7.0 Mail relay denied [192.0.2.25]. Invalid credentials for relay. - gsmtp",
    ),
    row(
        "provider:google-no-tls",
        Reason.TLS_REQUIRED,
        "p nontlssmtp~; was not sent over a tls connection",
        sample="421 4.7.29 Your email has been rate limited because this message was not sent over a TLS "
        "connection. - gsmtp",
    ),
    row(
        "provider:google-helo",
        Reason.BLOCKED,
        "support google com ... p helo",
        sample="501 5.5.4 HELO/EHLO argument is invalid. https://support.google.com/mail/?p=helo - gsmtp",
    ),
    row(
        "provider:google-spf",
        Reason.AUTH_FAILED,
        "spf record of the sending domain has; dkim did not pass",
        statuses=("x.7.24", "x.7.27", "x.7.30"),
        sample="550 5.7.24 The SPF record of the sending domain has one or more suspicious entries. - gsmtp",
    ),
    row(
        "provider:google-domain-policy",
        Reason.POLICY,
        "policy that prohibited the mail that you sent; p policyviolation~",
        sample="550 5.7.1 The user or domain that you are sending to (or from) has a policy that prohibited the "
        "mail that you sent. - gsmtp",
    ),
    row(
        "provider:google-groups-refusal",
        Reason.MAILING_LIST,
        """
        group you tried to contact ... may not exist or you may not have permission to post;
        you may not have permission to post messages to the group; you may need to join the group before;
        groups google com support; support google com a answer 168383
        """,
        sample="We're writing to let you know that the group you tried to contact (list) may not exist, or you may "
        "not have permission to post messages to the group.",
    ),
)

_MICROSOFT = (
    row(
        "provider:microsoft-directory-edge",
        Reason.MAILBOX_NOT_FOUND,
        "recipient address rejected access denied",
        statuses=("5.4.1", "4.4.1"),
        sample="550 5.4.1 Recipient address rejected: Access denied. AS(201806281) "
        "[AM5EUR02FT022.eop-EUR02.prod.protection.outlook.com]",
    ),
    row(
        "provider:microsoft-directory-edge-as",
        Reason.MAILBOX_NOT_FOUND,
        "access denied as 201806281; access denied as 201806271",
        sample="550 Recipient address rejected: Access denied. AS(201806281)",
    ),
    row(
        "provider:microsoft-not-found",
        Reason.MAILBOX_NOT_FOUND,
        """
        resolver adr recipnotfound; resolver adr recipientnotfound; resolver adr exrecipnotfound;
        resolver adr ambiguous; resolver adr invalidinmailbox~; not found by smtp address lookup;
        unknown recipient or mailbox unavailable; requested action not taken mailbox unavailable s2017062302
        """,
        sample="550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient user@example.com not found by SMTP address lookup",
    ),
    row(
        "provider:microsoft-bad-address",
        Reason.BAD_ADDRESS,
        "resolver adr badprimary; resolver adr bad; resolver adr illegal~",
        sample="550 5.1.0 RESOLVER.ADR.BadPrimary; recipient primary SMTP address is missing or invalid",
    ),
    row(
        "provider:microsoft-full",
        Reason.MAILBOX_FULL,
        "storedrv deliver ... quotaexceeded~; mapiexceptionshutoffquotaexceeded; storedrv ... mailbox full",
        sample="554 5.2.2 mailbox full; "
        "STOREDRV.Deliver.Exception:QuotaExceededException.MapiExceptionShutoffQuotaExceeded",
    ),
    row(
        "provider:microsoft-disabled",
        Reason.MAILBOX_DISABLED,
        """
        storedrv deliver ... accountdisabled~; mailbox cannot be accessed; mailbox disabled not accepting messages;
        mapiexceptionmailboxinquarantine; onpremisesmailboxdisabled
        """,
        statuses=("5.2.1", "5.2.0", "5.2.14", "4.2.1", "5.0.0", "4.2.0"),
        sample="550 5.2.1 mailbox cannot be accessed",
    ),
    row(
        "provider:microsoft-restricted",
        Reason.RECIPIENT_RESTRICTED,
        """
        resolver rst sendernotauthenticated~; resolver rst notauthorized; resolver rst authrequired;
        resolver rst restrictedtointernal~; resolver rst notauthorizedtogroup;
        sender was not authenticated by organization; sender not authenticated for group;
        sender not authenticated for mailbox; sender not authenticated for public folder;
        sender not in allowed senders list; sender was not in ... allowed senders list
        """,
        sample="550 5.7.1 RESOLVER.RST.NotAuthorized; not authorized",
    ),
    row(
        "provider:microsoft-recipient-rate",
        Reason.RATE_LIMITED,
        """
        resolver rst recipientthread~; recipientthreadlimit~; recipient s per hour message receive limit;
        exceeded ... message rate limit; submission quota exceeded; mapiexceptionmaxsubmissionexceeded;
        server busy please try again later from; can t be sent because you ve reached your daily limit
        """,
        statuses=("x.2.*", "x.3.*", "x.7.500", "x.7.501", "x.1.90", "x.7.508"),
        sample="451 4.7.500 Server busy. Please try again later from [192.0.2.25]. (AS761) "
        "[DB5EUR01FT031.eop-EUR01.prod.protection.outlook.com]",
    ),
    row(
        "provider:microsoft-ip-reputation",
        Reason.REPUTATION,
        "rate limited due to ip reputation; due to its poor reputation",
        sample="451 4.7.650 The mail server [192.0.2.25] has been temporarily rate limited due to IP reputation. "
        "For e-mail delivery information, see https://postmaster.live.com (S3113)",
    ),
    row(
        "provider:microsoft-size",
        Reason.TOO_LARGE,
        "resolver rst sendsizelimit~; resolver rst recipsizelimit~; resolver rst sizelimit~",
        sample="550 5.2.3 RESOLVER.RST.RecipSizeLimit; message too large for this recipient",
    ),
    row(
        "provider:microsoft-too-many-recipients",
        Reason.TOO_MANY_RECIPIENTS,
        "resolver adr recipientlimit~; resolver adr reciplimit~; recipients belong to multiple regions",
        sample="451 4.5.3 Recipients belong to multiple regions ATTR38 "
        "[BN8NAM11FT031.eop-nam11.prod.protection.outlook.com]",
    ),
    row(
        "provider:microsoft-loop",
        Reason.LOOP,
        """
        resolver fwd loop~; routing loop detected; hop count exceeded possible mail loop; routing loopdetected;
        routing noroutes
        """,
        sample="554 5.4.14 Hop count exceeded - possible mail loop ATTR1 "
        "[AM5EUR02FT022.eop-EUR02.prod.protection.outlook.com]",
    ),
    row(
        "provider:microsoft-expired",
        Reason.EXPIRED,
        "queue expired",
        sample="550 4.4.7 QUEUE.Expired; message expired",
    ),
    row(
        "provider:microsoft-transport-rule",
        Reason.POLICY,
        "transport rules rejectmessage; message was rejected by organization policy",
        sample="550 5.7.1 TRANSPORT.RULES.RejectMessage; the message was rejected by organization policy",
    ),
    row(
        "provider:microsoft-relay",
        Reason.RELAY_DENIED,
        """
        tenantattribution relay access denied; tenantattribution; unable to relay recipient in non accepted domain;
        smtp unable to relay
        """,
        sample="550 5.7.64 TenantAttribution; Relay Access Denied SMTP",
    ),
    row(
        "provider:microsoft-dmarc",
        Reason.AUTH_FAILED,
        """
        does not pass dmarc verification; doesn t meet the required authentication level;
        doesn t meet the authentication requirements
        """,
        statuses=("x.7.509", "x.7.515", "x.7.1", "x.7.0"),
        sample="550 5.7.509 Access denied, sending domain [EXAMPLE.NET] does not pass DMARC verification and has a "
        "DMARC policy of reject.",
    ),
    row(
        "provider:microsoft-form",
        Reason.CONTENT_REJECTED,
        """
        message must be rfc 5322 section 3 6 2 compliant; message must be rfc 5322;
        message does not meet ietf rfc 5322 requirements
        """,
        sample="550 5.7.512 Access denied, message must be RFC 5322 section 3.6.2 compliant and include a valid "
        "From address",
    ),
    row(
        "provider:microsoft-banned-sender",
        Reason.SENDER_REJECTED,
        """
        client blocked from sending from unregistered domain~; access denied banned sender;
        access denied spam abuse detected;
        service unavailable please contact your administrator ... unregistered domain;
        domain ... not registered as accepted domain
        """,
        statuses=("x.7.501-503", "x.7.750"),
        sample="550 5.7.501 Access denied, banned sender. Please email delist@microsoft.com to request removal.",
    ),
    row(
        "provider:microsoft-block-list",
        Reason.BLOCKED,
        """
        part of their network is on our block list; access denied banned sending ip;
        blocked by ... using customer block list; we generally do not accept email from dynamic ip~; sc 001; sc 002;
        sc 003; sc 004; ou 001; ou 002; dy 001; dy 002; access denied please try again later;
        weren t sent please contact your internet service provider
        """,
        sample="550 5.7.1 Unfortunately, messages from [192.0.2.25] weren't sent. Please contact your Internet "
        "service provider since part of their network is on our block list (S3150).",
    ),
    row(
        "provider:microsoft-rate",
        Reason.RATE_LIMITED,
        "rp 001; rp 002; rp 003; reached its limit for ... recipients",
        sample="421 RP-001 (BAY004-MC1F13) Unfortunately, some messages from 192.0.2.25 weren't sent. Please try "
        "again. We have limits for how many messages can be sent per hour and per day.",
    ),
    row(
        "provider:microsoft-unreachable-domain",
        Reason.DOMAIN_NOT_FOUND,
        """
        recipient because the domain is not reachable; routing nodefinedconnector; routing noconnectorforaddresstype;
        unableto route
        """,
        sample="554 The mail could not be delivered to the recipient because the domain is not reachable. Please "
        "check the domain and try again",
    ),
    row(
        "provider:microsoft-dns",
        Reason.DNS_ERROR,
        "dns domain ... does not exist; dns query failed",
        statuses=("4.4.312", "4.4.310", "5.4.312", "5.4.310", "4.4.315", "4.4.316", "5.4.316"),
        sample="450 4.4.312 DNS query failed [Message=NonexistentDomain]",
    ),
    row(
        "provider:microsoft-agent-busy",
        Reason.TEMPORARY_FAILURE,
        """
        pfa agent busy; mail received as unauthenticated incoming to a recipient domain configured in a hosted tenant
        """,
        sample="451 4.7.700 PFA agent busy, please try again. [DB5EUR01.prod.protection.outlook.com]",
    ),
)

_YAHOO = (
    row(
        "provider:yahoo-no-account",
        Reason.MAILBOX_NOT_FOUND,
        "this user doesn t have a ... account; this user does not have a ... account",
        sample="554 delivery error: dd This user doesn't have a yahoo.com account (user@yahoo.com) [0] - "
        "mta1061.mail.ne1.yahoo.com",
    ),
    row(
        "provider:yahoo-disabled",
        Reason.MAILBOX_DISABLED,
        "account has been disabled or discontinued; this mailbox is disabled",
        sample="554 30 Sorry, your message to user@example.com cannot be delivered. This mailbox is disabled (554.30)",
    ),
    row(
        "provider:yahoo-552",
        Reason.MAILBOX_NOT_FOUND,
        "requested mail action aborted mailbox not found",
        sample="552 1 Requested mail action aborted, mailbox not found",
    ),
    row(
        "provider:yahoo-deferred",
        Reason.RATE_LIMITED,
        """
        tss01; tss02; tss03; tss04; tss05; tss06; tss07; tss08; tss09; tss10; tss11; ts01; ts02; ts03; ts04;
        temporarily deferred due to user complaints; temporarily deferred due to unexpected volume;
        excessive unknown recipients possible open relay
        """,
        sample="421 4.7.0 [TSS04] Messages from 192.0.2.25 temporarily deferred due to unexpected volume or user "
        "complaints - 4.16.55.1; see https://postmaster.yahooinc.com/error-codes",
    ),
    row(
        "provider:yahoo-greylist",
        Reason.GREYLISTED,
        "gl01",
        sample="421 4.7.1 [GL01] Message from (192.0.2.25) temporarily deferred - 4.16.50.",
    ),
    row(
        "provider:yahoo-blocked",
        Reason.BLOCKED,
        """
        rtr bl; rtr bb; bl21; bl22; bl23; ts05; permanently deferred;
        connections not accepted from ip addresses on ... xbl;
        connections will not be accepted from xip because the ip is in spamhaus s list; rly ch2; rly bl; con b1;
        rly b1; rly b2; rly b3; hvu b1; rly bd
        """,
        sample="553 5.7.1 [BL21] Connections will not be accepted from 192.0.2.25, because the ip is in Spamhaus's "
        "list; see https://postmaster.yahooinc.com/error-codes",
    ),
    row(
        "provider:yahoo-ptr",
        Reason.PTR_MISSING,
        "dns nr; dns b1; dns b2",
        sample="421 4.7.1 : (DNS:NR) https://postmaster.aol.com/error-codes#421dnsnr",
    ),
    row(
        "provider:yahoo-policy",
        Reason.POLICY,
        "message not accepted for policy reasons; message temporarily deferred; ph01",
        sample="554 5.7.9 Message not accepted for policy reasons. See https://postmaster.yahooinc.com/error-codes",
    ),
)

_APPLE = (
    row(
        "provider:apple-policy",
        Reason.POLICY,
        "cs01; cs02; hm07; hm08",
        sample="554 5.7.1 [CS01] Message rejected due to local policy. Please visit "
        "https://support.apple.com/en-us/HT204137",
    ),
    row(
        "provider:apple-volume",
        Reason.RATE_LIMITED,
        "deferred due to excessive volume",
        sample="421 4.7.1 Messages to user@icloud.com deferred due to excessive volume. Try again later - "
        "https://support.apple.com/en-us/HT204137",
    ),
    row(
        "provider:apple-inactive",
        Reason.MAILBOX_NOT_FOUND,
        "inactive email address",
        hosts=APPLE,
        sample="550 5.1.1 <user@icloud.com>: inactive email address",
    ),
)

_FACEBOOK = (
    row(
        "provider:facebook-recipient",
        Reason.RECIPIENT_RESTRICTED,
        "rcp p2; rcp p3; refused due to recipient preferences",
        sample="550 5.1.1 RCP-P3 https://postmaster.facebook.com/response_codes?ip=192.0.2.25#rcp",
    ),
    row(
        "provider:facebook-unknown",
        Reason.MAILBOX_NOT_FOUND,
        "rcp p1",
        sample="550 5.1.1 RCP-P1 https://postmaster.facebook.com/response_codes?ip=192.0.2.25#rcp",
    ),
    row(
        "provider:facebook-ptr",
        Reason.PTR_MISSING,
        "dns p1; dns p2; dns p3; dns t1",
        sample="554 5.7.1 DNS-P3 https://postmaster.facebook.com/response_codes?ip=192.0.2.25#dns",
    ),
    row(
        "provider:facebook-policy",
        Reason.POLICY,
        "pol p1; pol p2; pol p3; pol p4; pol p5; pol p6; pol p7; pol p8",
        sample="554 5.7.1 POL-P6 https://postmaster.facebook.com/response_codes?ip=192.0.2.25#pol",
    ),
)

MAILBOX_PROVIDER_ROWS: tuple[ReplyRow, ...] = (*_GOOGLE, *_MICROSOFT, *_YAHOO, *_APPLE, *_FACEBOOK)
