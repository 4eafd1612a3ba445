"""Rows for the code words of access providers in Europe, America and Asia; see `_reply_rows_mailbox`."""

from __future__ import annotations

from mailgate.records._reasons import Reason
from mailgate.records._reply_rules import ReplyRow, row

JAPANESE_CARRIERS = (
    "docomo.ne.jp",
    "ezweb.ne.jp",
    "au.com",
    "softbank.jp",
    "softbank.ne.jp",
    "vodafone.ne.jp",
)
QQ = ("qq.com", "tencent.com")

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
        ipbl~; aup cxbl; aup cdrbl; aup vserv; aup blk; aup rbl; aup bl; aup sbl; aup in 1000; aup in 1500;
        aup in 1510; aup in 1520; aup in 1530; aup in 1540; aup in 1550; aup in 1600; aup i 1000; aup i 1500
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
        "provider:gmx-policy",
        Reason.POLICY,
        "reject due to policy restrictions",
        sample="550 Requested action not taken: mailbox unavailable Reject due to policy restrictions. For explanation "
        "visit https://postmaster.gmx.net/en/case?c=hi",
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
        hosts=JAPANESE_CARRIERS,
        sample="550 Unknown user user@docomo.ne.jp",
    ),
    row(
        "provider:japanese-carrier-filter",
        Reason.RECIPIENT_RESTRICTED,
        "mail rejected; message filtered; message rejected",
        hosts=JAPANESE_CARRIERS,
        sample="550 5.2.0 Mail rejected.",
    ),
    row(
        "provider:naver-spam",
        Reason.SPAM,
        "spam mail contents; sorry your ... is blocked by spam filter",
        sample="554 5.7.1 Spam mail contents",
    ),
)

ACCESS_PROVIDER_ROWS: tuple[ReplyRow, ...] = (*_ACCESS_PROVIDERS, *_ASIA)
