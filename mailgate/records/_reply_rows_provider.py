"""Rows for the code words of single providers, tried before everything else: they are unmistakable.

Words that only one provider writes need no host name; words that others write too are bound to `hosts`, the names of
the provider's mail hosts. Sources are the providers' postmaster pages and replies seen in real reports.
"""

from __future__ import annotations

from mailgate.records._reasons import Reason
from mailgate.records._reply_rules import ReplyRow, row

GOOGLE = ("google.com", "googlemail.com", "psmtp.com")

MICROSOFT = ("outlook.com", "hotmail.com", "office365.us", "live.com", "outlook.cn", "hotmail.co.jp")

YAHOO = ("yahoodns.net", "yahoo.com", "aol.com", "yahoo.co.jp")

APPLE = ("icloud.com", "apple.com", "me.com", "mac.com")

MIMECAST = ("mimecast.com", "mimecast.co.za", "mimecast-offshore.com")

GODADDY = ("secureserver.net",)

DOCOMO_KDDI = ("docomo.ne.jp", "ezweb.ne.jp", "au.com", "softbank.jp", "softbank.ne.jp", "vodafone.ne.jp")

QQ = ("qq.com", "tencent.com", "exmail.qq.com")

NETEASE = ("163.com", "126.com", "netease.com", "yeah.net")

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

_ACCESS_PROVIDERS = (
    row(
        "provider:orange-full",
        Reason.MAILBOX_FULL,
        "ofr 417; ofr007 417; lpn 417; lpn007 417",
        sample="552 5.1.1 Boite du destinataire pleine. Recipient overquota. OFR_417 [417]",
    ),
    row(
        "provider:orange-disabled",
        Reason.MAILBOX_DISABLED,
        "ofr 418; ofr007 418; lpn007 418; boite du destinataire archivee",
        sample="550 5.1.1 Boite du destinataire archivee. Archived recipient. OFR_418 [418]",
    ),
    row(
        "provider:orange-not-found",
        Reason.MAILBOX_NOT_FOUND,
        "ofr 416; ofr007 416; lpn007 416; adresse d au moins un destinataire invalide",
        sample="550 5.1.1 Adresse d au moins un destinataire invalide. Invalid recipient. OFR_416 [416]",
    ),
    row(
        "provider:orange-rate",
        Reason.RATE_LIMITED,
        "ofr004~; ofr005~; lpn004~; lpn005~; ofr 103; ofr 104; trop de connexions",
        sample="421 mwinf5c04 ME Trop de connexions, veuillez verifier votre configuration. Too many connections, "
        "slow down. OFR004_104 [104]",
    ),
    row(
        "provider:orange-blocked",
        Reason.BLOCKED,
        """
        ofr006~; lpn006~; ofr 102; ofr 108; ofr 109; ofr 403; ofr 405; service refuse veuillez essayer plus tard
        """,
        sample="550 mwinf5c04 ME Adresse IP source bloquee pour incident de spam. Client host blocked for spamming "
        "issues. OFR006_102 [102]",
    ),
    row(
        "provider:orange-spam",
        Reason.SPAM,
        """
        ofr 506; ofr 513; ofr 514; ofr 515; ofr 516; lpn007 506; lpn007 510; lpn007 517; ofr 510; ofr 511; ofr 512
        """,
        sample="550 5.2.0 Mail rejete. Mail rejected. OFR_506 [506]",
    ),
    row(
        "provider:orange-sender",
        Reason.SENDER_REJECTED,
        "ofr 413; ofr 415; ofr 421",
        sample="550 5.5.0 Le domaine de l'expediteur n'existe pas. OFR_413 [413]",
    ),
    row(
        "provider:cox-rate",
        Reason.RATE_LIMITED,
        """
        aup cxcnct; aup cxmxrt; aup in 1210; aup in 1310; aup in 1320; aup i 1230; aup o 1310; aup out 1310;
        aup ratelimit~
        """,
        sample="452 CXMXRT AUP#CXMXRT Cox 192.0.2.25 rate limited",
    ),
    row(
        "provider:cox-sender",
        Reason.SENDER_REJECTED,
        "aup cxsndr; aup sndr; aup out 1240",
        unless="""
        spam content
        """,
        sample="552 5.2.0 AUP#CXSNDR sender rejected",
    ),
    row(
        "provider:cox-dns",
        Reason.PTR_MISSING,
        "aup dns; aup in 2510; aup cxdns",
        sample="554 ESMTP not available AUP#CXDNS Cox requires that all connecting email servers contain valid "
        "reverse DNS PTR records",
    ),
    row(
        "provider:aup-spam",
        Reason.SPAM,
        "aup 1260; aup 1261; aup cxsndr ... spam; spam content aup cxsndr",
        sample="550 5.7.1 Message contains spam or virus or sender is blocked. AUP#1260",
    ),
    row(
        "provider:aup-blocked",
        Reason.BLOCKED,
        """
        aup cxbl; aup cdrbl; aup vserv; aup blk; aup rbl; aup bl; aup sbl; aup in 1000; aup in 1500; aup in 1510;
        aup in 1520; aup in 1530; aup in 1540; aup in 1550; aup in 1600; aup i 1000; aup i 1500
        """,
        sample="550 CXBL AUP#CXBL Cox 192.0.2.25 rejected",
    ),
    row(
        "provider:aup-policy",
        Reason.POLICY,
        "aup pol; aup cxpol; aup out; aup in; aup i; aup o",
        sample="554 5.7.1 AUP#POL message rejected",
    ),
    row(
        "provider:comcast-blocked",
        Reason.BLOCKED,
        "bl000000; bl000001; bl000010; comcast block for spam; postmaster comcast net ... bl0~",
        sample="554 resimta-ch2-09v.sys.comcast.net 192.0.2.25 Comcast block for spam. Please see "
        "http://postmaster.comcast.net/smtp-error-codes.php#BL000000",
    ),
    row(
        "provider:comcast-rate",
        Reason.RATE_LIMITED,
        "rl000001; rl000002; rl000003; rl000010",
        sample="421 Try again later https://postmaster.comcast.net/smtp-error-codes.php#RL000001",
    ),
    row(
        "provider:comcast-ptr",
        Reason.PTR_MISSING,
        "comcast requires that all mail servers must have a ptr record",
        sample="554 mta1.comcast.net comcast 192.0.2.25 Comcast requires that all mail servers must have a PTR "
        "record with a valid Reverse DNS entry.",
    ),
    row(
        "provider:att-blocked",
        Reason.BLOCKED,
        "dnsbl attrbl; dnsbl rbl 521; att net blocks; abuse rbl",
        sample="553 5.3.0 alph123 DNSBL:ATTRBL 521< 192.0.2.25 >_is_blocked. For information see http://att.net/blocks",
    ),
    row(
        "provider:charter-blocked",
        Reason.BLOCKED,
        "e2011; e2012; e3110; e3130; e3140; e3150; e3160; charter ... blocked; impcmx~",
        unless="mailbox",
        sample="554 5.7.1 E3110 Your IP address 192.0.2.25 is blocked by Charter",
    ),
    row(
        "provider:gmx-blocked",
        Reason.BLOCKED,
        "senderguidelines c bl; error messages ... c bl; ip address is block listed",
        sample="554 gmx.net (mxgmx117) Nemesis ESMTP Service not available No SMTP service IP address is block "
        "listed. For explanation visit https://www.gmx.net/mail/senderguidelines?c=bl",
    ),
    row(
        "provider:gmx-ptr",
        Reason.PTR_MISSING,
        "error messages ... c rdns; bad dns ptr resource record",
        sample="554 gmx.net (mxgmx116) Nemesis ESMTP Service not available No SMTP service Bad DNS PTR resource "
        "record. For explanation visit https://postmaster.gmx.net/error-messages?ip=192.0.2.25&c=rdns",
    ),
    row(
        "provider:gmx-auth",
        Reason.AUTH_FAILED,
        "error messages ... c dmarc; error messages ... c spf; reject due to spf policy",
        sample="550 Requested action not taken: mailbox unavailable Reject due to SPF policy. For explanation visit "
        "https://postmaster.gmx.net/error-messages?c=spf",
    ),
    row(
        "provider:gmx-rate",
        Reason.RATE_LIMITED,
        "error messages ... c hi; error messages ... c rlm; error messages ... c rlf; sending limit exceeded",
        sample="450 Requested mail action not taken: mailbox unavailable Sending limit exceeded. For explanation "
        "visit https://postmaster.gmx.net/error-messages?c=rlm",
    ),
    row(
        "provider:t-online-blocked",
        Reason.BLOCKED,
        "a problem occurred ask your postmaster for help; tosa xaddr; rx t online de",
        sample="554 IP=192.0.2.25 - A problem occurred. (Ask your postmaster for help or to contact "
        "tosa@rx.t-online.de to clarify.) (BL)",
    ),
    row(
        "provider:free-blocked",
        Reason.BLOCKED,
        "too many spams from your ip; too many errors from your ip",
        sample="550 too many spams from your IP (192.0.2.25), please visit http://postmaster.free.fr/",
    ),
    row(
        "provider:mailru-dynamic",
        Reason.BLOCKED,
        """
        we do not accept mail from dynamic ip~; we do not accept mail from hosts with dynamic ip;
        dynamic ip not allowed
        """,
        sample="550 Sorry, we do not accept mail from dynamic ips",
    ),
    row(
        "provider:mailru-spam",
        Reason.SPAM,
        """
        spam message rejected please visit ... mail ru; spam message rejected; spam message discarded;
        spam message blocked; message was rejected as spam
        """,
        sample="550 spam message rejected. Please visit http://help.mail.ru/notspam-support/id?c=abc or report details",
    ),
    row(
        "provider:godaddy-rate",
        Reason.RATE_LIMITED,
        """
        ib607; ib401; ib501; ib504; ib603; has sent to too many recipients this hour;
        exceeded the maximum number of messages per session; has sent too many messages this hour
        """,
        sample="550 5.1.1 <user@example.com> - 192.0.2.25 has sent to too many recipients this hour. IB607 "
        "<http://x.co/rlbounce>",
    ),
    row(
        "provider:godaddy-blocked",
        Reason.BLOCKED,
        """
        ib101; ib103; ib104; ib105; ib106; ib108; ib110; ib111; ib112; ib113; ib121; ib301; unblock godaddy com;
        unified layer com; secureserver net unblock
        """,
        sample="554 bizsmtp Connection rejected. Reverse DNS for 192.0.2.25 blocked. IB108 "
        "<http://unblock.secureserver.net/?ip=192.0.2.25>",
    ),
    row(
        "provider:godaddy-auth",
        Reason.AUTH_FAILED,
        "ib507; ib508; ib509; ib510; ib511; ib512",
        sample="550 5.1.0 192.0.2.25 is not allowed to send from <example.net> per it's SPF Record. Please inspect "
        "your SPF settings, and try again. IB508",
    ),
    row(
        "provider:godaddy-content",
        Reason.SPAM,
        "ib605; ib212; ib703; ib704; ib705",
        sample="552 5.2.0 Message rejected for spam or virus content. IB212",
    ),
)

_ASIA = (
    row(
        "provider:qq-rate",
        Reason.RATE_LIMITED,
        """
        connection frequency limited; domain frequency limited; ip frequency limited; mail frequency limited;
        sender frequency limited; frequency limited
        """,
        sample="550 Connection frequency limited. "
        "http://service.mail.qq.com/cgi-bin/help?subtype=1&&id=20022&&no=1000722",
    ),
    row(
        "provider:qq-spam",
        Reason.SPAM,
        "mail content denied; mail is rejected by recipients ... spam; mail content is rejected",
        sample="550 Mail content denied. http://service.mail.qq.com/cgi-bin/help?subtype=1&&id=20022&&no=1000726",
    ),
    row(
        "provider:qq-restricted",
        Reason.RECIPIENT_RESTRICTED,
        "mail is rejected by recipients",
        sample="550 Mail is rejected by recipients. "
        "http://service.mail.qq.com/cgi-bin/help?subtype=1&&id=20022&&no=1000724",
    ),
    row(
        "provider:qq-blocked",
        Reason.BLOCKED,
        "ip address is blocked by qq; connection denied; suspected bounce attacks",
        hosts=QQ,
        sample="550 Connection denied. http://service.mail.qq.com/cgi-bin/help?subtype=1&&id=20022&&no=1000725",
    ),
    row(
        "provider:netease-spam",
        Reason.SPAM,
        "dt spm; dt ac; hl rep; hl bnc; mi spb; dt kwd",
        sample="554 DT:SPM 163 smtp1,Csmowabcd please see "
        "http://mail.163.com/help/help_spam_16.htm?ip=192.0.2.25&hostid=smtp1",
    ),
    row(
        "provider:netease-blocked",
        Reason.BLOCKED,
        "dt rbl; hl ipb; mi ipb; dt srb",
        sample="554 HL:IPB 163 mx5, please see http://mail.163.com/help/help_spam_16.htm",
    ),
    row(
        "provider:netease-rate",
        Reason.RATE_LIMITED,
        "hl itc; hl ifc; hl icc; mi cel; mi dmc; mi ccl; rp qrc; rp ccl; rp trc; rp crc; mi sfq",
        sample="451 MI:SFQ 163 smtp14 please see http://mail.163.com/help/help_spam_16.htm",
    ),
    row(
        "provider:netease-sender",
        Reason.SENDER_REJECTED,
        "mi nhd; mi spf; mi imf; mi stc",
        sample="553 MI:SPF 163 mx8, please see http://mail.163.com/help/help_spam_16.htm",
    ),
    row(
        "provider:netease-user",
        Reason.MAILBOX_NOT_FOUND,
        "mi nur; rp rcl",
        sample="550 MI:NUR mx10 user not found, please see http://mail.163.com/help",
    ),
    row(
        "provider:japanese-carrier-unknown",
        Reason.MAILBOX_NOT_FOUND,
        "unknown user; user unknown; invalid recipient",
        hosts=DOCOMO_KDDI,
        sample="550 Unknown user user@docomo.ne.jp",
    ),
    row(
        "provider:japanese-carrier-filter",
        Reason.RECIPIENT_RESTRICTED,
        "mail rejected; message filtered; message rejected",
        hosts=DOCOMO_KDDI,
        sample="550 5.2.0 Mail rejected.",
    ),
    row(
        "provider:naver-spam",
        Reason.SPAM,
        "spam mail contents; sorry your ... is blocked by spam filter",
        sample="554 5.7.1 Spam mail contents",
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

PROVIDER_ROWS: tuple[ReplyRow, ...] = (
    *_GOOGLE,
    *_MICROSOFT,
    *_YAHOO,
    *_APPLE,
    *_GATEWAYS,
    *_ACCESS_PROVIDERS,
    *_ASIA,
    *_RELAYS,
)
