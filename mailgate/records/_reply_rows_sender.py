"""Rows for refusals that are about the sending side: its address, name, reputation, rights, manners, or the message.

They stand before the rows about the recipient, because servers send them with any code at all: 550 5.1.1 is seen with
"your IP address is blocked". What looks like such a refusal and is not stands first (`NOT_ABOUT_US`).
"""

from __future__ import annotations

from mailgate.records._reasons import Reason
from mailgate.records._reply_rules import ReplyRow, row

NOT_ABOUT_US: tuple[ReplyRow, ...] = (
    row(
        "text:account-or-domain-may-not-exist",
        Reason.DOMAIN_NOT_FOUND,
        "account or domain may not exist they may be blacklisted",
        unless="sender verify; verification failed for; sender verification",
        sample="The mail server could not deliver mail to user@example.com. The account or domain may not exist, "
        "they may be blacklisted, or missing the proper dns entries.",
    ),
    row(
        "text:not-in-relay-table",
        Reason.MAILBOX_NOT_FOUND,
        """
        user unknown in relay recipient table; unknown in relay recipient table;
        undeliverable address ... user unknown; undeliverable address ... no such user;
        undeliverable address ... does not exist; verify recipient ... no such user;
        recipient address rejected undeliverable address
        """,
        sample="550 5.1.1 <user@example.com>: Recipient address rejected: User unknown in relay recipient table",
    ),
    row(
        "text:account-blocked",
        Reason.MAILBOX_DISABLED,
        """
        mailbox is blocked; mailbox blocked; mailbox has been blocked; mailbox temporarily blocked;
        account is blocked; account blocked; account has been blocked; account has been temporarily blocked;
        account is temporarily blocked; user is blocked; user blocked; user has been blocked; recipient is blocked;
        recipient has been blocked; recipient account is blocked; receiver is blocked; почтовый ящик заблокирован;
        ящик заблокирован; konto gesperrt; postfach gesperrt; mailbox gesperrt; compte bloque; cuenta bloqueada;
        casilla bloqueada
        """,
        unless="your ... account",
        sample="550 5.2.1 <user@example.com>: Mailbox is blocked",
    ),
    row(
        "text:sender-blocked-by-user",
        Reason.RECIPIENT_RESTRICTED,
        """
        blocked by recipient s; blocked by the recipient s; blocked by the recipient; blocked by user;
        blocked by the user; user has blocked; recipient has blocked; on recipient s blacklist;
        in recipient s blacklist; on the recipient s blacklist; in the recipient s blacklist; in user s blacklist;
        blacklisted by user; sender is in user blacklist; blocked sender list of the recipient;
        recipient s blocked senders; recipient s personal block~; blocked per user; personal blacklist; user blacklist
        """,
        unless="ip address blacklisted; client host",
        sample="550 5.7.1 Message rejected: sender is blocked by the recipient",
    ),
)

_GREYLISTED = (
    row(
        "text:greylisted",
        Reason.GREYLISTED,
        """
        is not yet authorized to deliver; greylist~; graylist~; grey list~; gray list~; greylisting in action;
        greylisted please try; gr.listed; message is being delayed temporarily to prevent spam;
        temporarily deferred try again in; temporary deferred please try; retry later ... first time sender;
        first contact please retry; you are being greylisted; en liste grise; auf der grauen liste
        """,
        classes="4",
        sample="450 4.2.0 <user@example.com>: Recipient address rejected: Greylisted for 300 seconds",
    ),
    row(
        "text:greylisted-final",
        Reason.GREYLISTED,
        "greylisted; greylisting; graylisted; graylisting",
        sample="550 Greylisting in action, please try again later",
    ),
)

_RATE = (
    row(
        "text:rate",
        Reason.RATE_LIMITED,
        """
        frequency limit~; frequency exceed~; sending frequency; too high frequency; too many connections;
        too many open connections; too many concurrent; too many simultaneous; too many sessions;
        too many smtp sessions; too many messages; too many mails; too many emails; too many e mails; too many errors;
        too many invalid recipients; too many unknown recipients; too many bad recipients; too many unknown users;
        too many failed; too many bad commands; too many requests; too much mail; too much mails;
        too many recipients this hour; too many recipients per hour; too frequent; too frequently; too fast;
        try again slower; sending too many; sending messages too; slow down; rate limit~; ratelimit~; limit rate;
        rate exceeded; rate control~; rate is too high; message rate; connection rate; connection limit;
        connections limit; concurrent connections; concurrent connection; connection limitation;
        maximum number of connections; max connections; per hour; per minute; per day limit; hourly limit;
        daily limit; hourly quota; daily quota; sending limit; sending quota; sending rate; throttl~;
        exceeded the rate; exceeded the maximum number of messages; exceeds ... messages per;
        messages per ... exceeded; receiving mail too quickly; excessive volume; unexpected volume; flood detected;
        mail flood; message flood; limit exceeded for sender; sender rate; policy rejection too many;
        sender s quota; sender quota; senders quota; quota of the sender; quota of sender;
        trop de messages; trop de connexions; zu viele verbindungen; demasiadas conexiones; troppe connessioni;
        too many hits; has exceeded the max emails per hour; max defers and failures per hour;
        discarded due to recipient rate
        """,
        unless="inbox is full; inbox full; mailbox is full; mailbox ... quota; user ... over ... quota",
        sample="421 4.7.0 mx.example.com Error: too many connections from 192.0.2.25",
    ),
    row(
        "text:too-many-recipients",
        Reason.TOO_MANY_RECIPIENTS,
        """
        too many recipients; too many rcpt~; multiple destination domains per transaction;
        multiple recipients not allowed; only one recipient; one recipient at a time; maximum number of recipients;
        recipient limit exceeded; recipients limit exceeded; exceeded ... number of recipients;
        number of recipients exceed~; recipients exceed~; trop de destinataires; zu viele empfanger;
        demasiados destinatarios; troppi destinatari
        """,
        sample="452 4.5.3 Error: too many recipients",
    ),
)

_PTR = (
    row(
        "text:ptr-missing",
        Reason.PTR_MISSING,
        """
        ptr record; ptr records; no ptr; ptr lookup; ptr failed; ptr dns; missing ptr; without ptr; invalid ptr;
        valid ptr; rdns; reverse dns; reverse lookup; reverse hostname; reverse host name; reverse mapping;
        reverse resolution; reverse entry; reverse record; reverse address; reverse not found;
        cannot find your hostname; cannot find your reverse hostname; unresolvable client host; fix reverse;
        unresolvable relay host name; cannot resolve your ip; cannot resolve ptr; can t resolve your ip;
        ip address ... does not resolve; your ip ... no dns; ip name lookup failed; ip name possibly forged;
        mismatches client ip; forward confirmed; fcrdns; iprev~; client host rejected cannot find;
        hostname ... does not match ip; all mail servers must have; without a valid sender domain; inverse dns;
        dns inverse; resolution inverse
        """,
        unless="relaying denied; not found in dnsbl; greylist~",
        sample="550 5.7.25 Client host rejected: cannot find your hostname, [192.0.2.25]",
    ),
    ReplyRow(
        name="enhanced:x.7.25",
        reason=Reason.PTR_MISSING,
        statuses=("x.7.25",),
        sample="550 5.7.25 Access denied",
    ),
)

_AUTH_FAILED = (
    row(
        "text:auth-failed",
        Reason.AUTH_FAILED,
        """
        dmarc; spf check; spf checks; spf fail~; spf hardfail; spf softfail; spf record; spf records; spf policy;
        spf error; spf reject~; spf validation; spf violation; spf unauthorized; spf not pass; spf does not pass;
        spf invalid; spf sender invalid; spf permerror; spf forgery; spf = fail; spf result; spf neutral;
        spf mail from; spf mfrom; spf verification; spf authentication; spf helo; failed spf; fails spf; fail spf;
        by spf; because of spf; due to spf; per spf; your spf; bad spf; invalid spf; no spf; missing spf; wrong spf;
        sender policy framework; openspf~; open spf org; spf pobox com; why spf; spf dkim; spf or dkim; spf and dkim;
        dkim fail~; dkim check; dkim signature; dkim verification; dkim validation; dkim reject~; dkim policy;
        dkim unacceptable; dkim did not pass; invalid dkim; no dkim; bad dkim; missing dkim; unacceptable dkim~;
        no passing dkim; failed dkim; fails dkim; domainkeys; adsp; arc validation; authentication results spf;
        not authorized to send from this domain; is not allowed to send mail from; is not allowed to send from;
        not allowed to send mail for; is not permitted to send from domain; not designated as permitted sender;
        not a permitted sender; not permitted to send mail for; unauthorized to send email on behalf;
        sending domain ... authentication; email is not authenticated; message is not authenticated;
        mail is not authenticated; failed authentication checks; fails authentication checks; unauthenticated email;
        unauthenticated mail is prohibited; sender id; senderid
        """,
        sample="550 5.7.1 Email rejected per DMARC policy for example.net",
    ),
    ReplyRow(
        name="enhanced:x.7.20-x.7.26",
        reason=Reason.AUTH_FAILED,
        statuses=("x.7.20-24", "x.7.26"),
        sample="550 5.7.23 rejected",
    ),
    ReplyRow(
        name="enhanced:x.7.29",
        reason=Reason.AUTH_FAILED,
        statuses=("x.7.29",),
        unless=("tls",),
        sample="550 5.7.29 refused",
    ),
)

_SENDER = (
    row(
        "text:sender-rejected",
        Reason.SENDER_REJECTED,
        """
        sender xaddr not found; sender xaddr unknown; sender xaddr is unknown; sender xaddr does not exist;
        mail from address; mail from command; mail from rejected;
        mail from must; mail from xaddr; mail from domain;
        mail from was rejected; rejected mail from; bad mail from; invalid mail from; mail from not allowed;
        mail from ... not allowed; mail from ... denied; sending to from an address that has been;
        sender address rejected; sender address refused; sender address blocked; sender address verification;
        sender address is not; sender address does not; sender address is invalid; sender address invalid;
        sender rejected; sender refused; sender denied; sender blocked; sender is blocked; sender is not allowed;
        sender not allowed; sender not accepted; sender is denied; sender banned; sender verify; sender verification;
        sender callout; sender callback; sender domain; sender s domain; sender s address; sender email address;
        sender mail address; sender does not exist; sender not exist; sender invalid; sender is invalid;
        sender unknown; sender unverified; sender ... not verified; sender host name; domain of sender;
        domain of the sender; domain of your address; domain must resolve; invalid sender; bad sender; unknown sender;
        unroutable sender; unrouteable sender; unverified sender; unresolvable sender; forged sender;
        malformed sender; null sender; empty sender; empty envelope sender; blocked sender; envelope sender;
        envelope from; envelope address; return path; reverse path; mailfrom; from address; from domain;
        from header domain; badmailfrom~; badrcptto ... sender; verify sender; verify callout;
        could not complete sender verify callout; cannot verify sender; your email address; your mail address;
        your address ... rejected; you are not allowed to send; you are not authorized to send; not owned by user;
        not owned by auth user; not logged in ... sender; user not authorized to send on behalf;
        client does not have permissions to send as this sender; sendasdenied; domain ... black listed as sender;
        originator; absender; expediteur; remitente; mittente; remetente; отправител~; 发件人; 寄件人; 送信者
        """,
        unless="""
        header from; recipient address rejected; return path ... full; your email address list;
        check ... your email address; verify ... your email address; sender domain ... blacklist~;
        sender domain ... reputation; listed in spamhaus; domain not found recipient; informed the sender;
        returned to sender; return to sender; returning message to sender; not in ... allowed senders; per hour
        """,
        sample="550 5.1.8 <probe@example.net>: Sender address rejected: Domain not found",
    ),
    ReplyRow(
        name="enhanced:x.1.7",
        reason=Reason.SENDER_REJECTED,
        statuses=("x.1.7", "x.1.8", "x.7.27"),
        sample="553 5.1.8 Access denied",
    ),
    row(
        "text:recipient-refuses-sender",
        Reason.SENDER_REJECTED,
        "access denied; access is denied",
        statuses=("5.7.1", "5.7.0", "5.0.0"),
        unless="recipient address rejected; banned; client host; xip; helo",
        sample="550 5.7.1 Access denied",
    ),
)

_HELO_AND_LISTS = (
    row(
        "text:helo-rejected",
        Reason.BLOCKED,
        """
        helo rejected; ehlo rejected; helo ehlo rejected; your helo; your ehlo; helo host; helo hostname; helo domain;
        helo access; helo string; helo must; helo should; ehlo should;
        helo does not; helo is not; helo is invalid; helo ehlo argument;
        helo ehlo name; helo ehlo with; fake helo; forged helo; spoofed helo; suspicious helo; helo mismatch;
        helo restriction; helo violation; ehlo name; ehlo domain; ehlo hostname; helo greeting; bad ehlo;
        invalid ehlo; illegal helo; helo command rejected; ehlo command rejected; invalid helo; helo name;
        helo argument; bad helo
        """,
        sample="550 5.7.1 <localhost>: Helo command rejected: Host not found",
    ),
    row(
        "text:helo-argument",  # RFC 3463 3.6: X.5.4 is about a command's argument, and no mailbox
        Reason.BLOCKED,
        "invalid domain name; invalid hostname; invalid host name; malformed domain name",
        statuses=("x.5.4",),
        sample="501 5.5.4 Invalid domain name",
    ),
    row(
        "text:reputation",
        Reason.REPUTATION,
        """
        newly registered; recently registered; domain too young; domain is too young; domain too new;
        reputation; reputational; sender score; senderscore~; mailfrom domain is listed; domain is listed in;
        domain has been blacklisted; listed in spamhaus dbl; on the dbl; ip score; bad score; poor sender; reputacion;
        reputacao
        """,
        unless="barracuda reputation; blocked using",
        sample="554 5.7.1 Your access has been rejected due to the sending MTA's poor reputation",
    ),
    row(
        "text:dns-list",
        Reason.BLOCKED,
        """
        spamhaus~; spamcop~; sorbs; sorbs net; dnsbl~; dnsrbl; rbl; rbls; rblsmtpd; zen; sbl; xbl; pbl; cbl;
        abuseat org; abusix~; uceprotect~; spamrats~; spameatingmonkey~; mailspike~; senderbase; invaluement~; surbl;
        uribl ... ip; backscatterer~; psbl; dnswl~; nixspam; nix spam; manitu net; njabl; ordb org; fiveten;
        truncate gbudb~; hostkarma; junkemailfilter com; spamsources; spfbl~; blacklist~; black list; black listed;
        black lists; blocklist~; block list; block listed; block lists; denylist~; deny list; blocking list;
        liste noire; lista negra; lista nera; schwarzen liste; czarnej liscie; черном списке; черный список; 黑名单;
        黑名單; ブラックリスト
        """,
        unless="""
        blacklisted url~; blacklisted link~; blacklisted uri~;
        uribl ... url; content ... blacklist~; url ... blacklist~; link ... blacklist~; uri ... blacklist~;
        domain ... blacklisted in message; recipient blacklist~; subject ... blacklist~
        """,
        sample="554 5.7.1 Service unavailable; Client host [192.0.2.25] blocked using zen.spamhaus.org",
    ),
    row(
        "text:client-blocked",
        Reason.BLOCKED,
        """
        accept mail from your; accept email from your; accept messages from your; ip not in whitelist;
        ip not whitelisted; ip is not whitelisted;
        sending spam; sending too much spam; is sending spam; you are sending spam; sends spam; blocking ip;
        client host ... blocked; client host rejected; client host ... reject~; client host ... denied; client host;
        client ip ... blocked; client xip blocked; client ... blocked using; client is blocked; your ip;
        your ip address; your host ... blocked; your host ... rejected; your host ... banned; your server ... blocked;
        your server ... rejected; your server ... banned; your mail server ... blocked; your mail server ... rejected;
        your mail server is; your network; your isp; your domain ... blocked; your domain ... banned;
        your domain has been; your access ... rejected; ip address ... blocked; ip address ... rejected;
        ip address ... banned; ip address ... denied; ip address ... listed; ip address ... bloquee; ip xip blocked;
        ip xip is blocked; ip xip ... blocked; ip xip ... rejected; ip xip ... listed; ip ... black listed;
        ip blocked; ip is blocked; ip has been blocked; ip banned; ip is banned; ip denied; blocked ip; banned ip;
        bad ip; blocked by ip; xip blocked; xip is blocked; xip has been blocked; xip is not allowed to connect;
        xip is not allowed to send; xip rejected; xip is rejected; xip is banned; xip is listed; xip listed;
        xip ... listed in; xip ... listed on; xip ... blocked; mail from xip; mail from ip; messages from xip;
        message from xip; email from xip; email from ip; connections from xip; connection from xip;
        connection from ip; connect from ... denied; connections from this host; connection refused by policy;
        connection rejected; connection not allowed; connection not authorized; access from ip; access from xip;
        banned sending ip; sending ip; sending ipv6; sending host; sending mta; sending server; sending system;
        dynamic ip; dynamic ips; dynamic address; dynamic addresses; dialup; dial up; dsl; residential ip;
        generic hostname; generic reverse; generic rdns; open relay; open proxy; geoip; your country;
        from your country; country ... not accepted; may not be mail exchanger; you are not allowed to connect;
        you are not allowed to use this; you are blocked; you have been blocked; you have been banned; you are banned;
        you are not welcome; use the smtp server of your isp; use your isp; use your provider;
        use ... isp ... mail server; host is blocked; host blocked; hosts blocked; host ... is blocked;
        host ... banned; host rejected; no service available for your ip; not accepting mail from your;
        not accepting connections from your; administratively blocked; blocked for spam~; blocked for abuse;
        blocked for policy; blocked due to spam; blocked due to abuse; blocked because of spam;
        blocked by administrator; blocked by ... list; temporarily blocked; is blocked; abuse from your;
        spam from your; network is blocked; network blocked; banned for; banned host; banned sender host;
        suspicious connection; spam source; spam sources; known spam; spammer; spammers; spamming host; spam host;
        spam network; spam ip; dirty ip; ip source bloque~; adresse ip; adresse ip source; ip adresse ... gesperrt;
        direccion ip; indirizzo ip; endereco ip; ваш ip
        """,
        unless="""
        relaying denied; relay access denied; mailbox is blocked; content is blocked; attachment is blocked;
        file is blocked; message is blocked; url ... is blocked; recipient address rejected ... user unknown;
        message blocked due to spam; message blocked because of spam; mail blocked due to spam content;
        message was blocked due to spam; spam content in the message; spam content in your message;
        your ip ... relay; relay ... your ip; spam score; spammy content; spf
        """,
        sample="550 5.7.1 Client host rejected: may not be mail exchanger",
    ),
    ReplyRow(
        name="enhanced:5.7.5xx",
        reason=Reason.BLOCKED,
        statuses=("x.7.502-507", "x.7.510-514", "x.7.550", "x.7.606-649", "x.7.703", "x.7.705", "x.7.708"),
        sample="550 5.7.511 Access denied",
    ),
    row(
        "text:client-refused-at-connect",
        Reason.BLOCKED,
        """
        connection refused; no smtp service; transaction failed; service unavailable; service not available; rejected;
        access denied; not authorized; denied
        """,
        stages=("connect",),
        classes="5",
        sample="554 No SMTP service here",
    ),
)

_RELAY = (
    row(
        "text:relay-denied",
        Reason.RELAY_DENIED,
        """
        authorised to relay; authorized to relay; permitted to relay; allowed to relay;
        forwarding to remote hosts disabled; relay access denied; relay denied; relaying denied; relaying to;
        relaying not; relaying is; relaying prohibited; relaying mail; relaying this; relay not permitted;
        relay not allowed; relay is not; relay prohibited; relay rejected; relay refused; relay disabled;
        relay operation; relay attempt; relay through this server; relay through this; relay mail; relay to;
        relay for; relay from; relay email; relay recipient; relayed; not permitted to relay; not allowed to relay;
        not authorized to relay; not configured to relay; no relay~; no relaying; we do not relay; we don t relay;
        does not relay; do not relay; don t relay; cannot relay; can not relay; can t relay; unable to relay;
        authentication required for relay~; refuse to relay; will not relay; won t relay; rcpthosts;
        list of allowed rcpthosts; not an open relay; not a local domain; isn t a local domain; not a gateway;
        not a relay; non local recipient verification failed; unauthenticated relaying; insecure mail relay;
        mail server ... not local; invalid credentials for relay; we do not accept mail for this domain;
        not one of our domains; domain not handled here; not hosted here; domain is not hosted;
        no longer hosted; not hosted on this;
        this address is not allowed ... relay; ruleset check rcpt ... denied; relais refuse; relais non autorise;
        weiterleitung nicht erlaubt; relaying nicht erlaubt; relayen; 转发; 中继; must authenticate before relay~
        """,
        unless="""
        turn on smtp authentication; relay recipient table; relayed to mail exchanger; too many; relay connection
        """,
        sample="554 5.7.1 <user@example.com>: Relay access denied",
    ),
    ReplyRow(
        name="enhanced:x.7.54",
        reason=Reason.RELAY_DENIED,
        statuses=("x.7.54", "x.7.64"),
        sample="550 5.7.54 SMTP",
    ),
)

_TLS_AND_AUTH = (
    row(
        "text:tls-failed",
        Reason.TLS_FAILED,
        """
        certificate valid~; does not support tls; not support starttls; doesn t support tls; tls handshake;
        ssl handshake; cannot start tls; could not start tls; starttls failed; starttls command failed;
        starttls failure; starttls was not successful; tls negotiation; tls session; tls connection ... failed;
        tls error; ssl error; certificate verif~; certificate has expired; certificate not trusted;
        server certificate; untrusted certificate; untrusted issuer; tls protocol; tlsa; dane; mta sts;
        tls is required but was not offered; tls is required but; required tls but host did not support;
        host did not support tls; tls not available due to local problem; tls currently unavailable; ssl routines
        """,
        sample="403 4.7.0 TLS handshake failed.",
    ),
    row(
        "text:tls-required",
        Reason.TLS_REQUIRED,
        """
        security conversion; security features not supported; must issue a starttls; must issue starttls;
        issue a starttls command first; starttls required; starttls is required; starttls command first;
        starttls first; use starttls; need starttls; requires encryption; encryption required; encryption is required;
        encryption needed; encrypted connection; encrypted session; requires tls; require tls; requiretls;
        tls required; tls is required; tls needed; tls only; must use tls; tls encryption; over tls;
        secure connection; session encryption is required; plaintext connection; plain text connections; tls 1 2
        """,
        unless="temporary reason; authentication required",
        sample="530 5.7.0 Must issue a STARTTLS command first",
    ),
    ReplyRow(
        name="enhanced:x.7.10",
        reason=Reason.TLS_REQUIRED,
        statuses=("x.7.4-7", "x.7.10", "x.7.11"),
        sample="523 5.7.10 denied",
    ),
    row(
        "text:auth-required",
        Reason.AUTH_REQUIRED,
        """
        password transition; password expired; change your password; turn on smtp authentication;
        turn on authentication; through this server without authentication; authentication required;
        authentication is required; authentication needed; authentication failed; authentication failure;
        authentication unsuccessful; authentication credentials; authentication rejected; authentication denied;
        authentication fails; authentication aborted; authentication not enabled; authentication succe~;
        requires authentication; require authentication; required authentication; without authentication;
        smtp authentication; smtp auth; not authenticated; must authenticate; must be authenticated;
        must first authenticate; need to authenticate; please authenticate; authenticate first; auth required;
        auth first; auth failed; login required; not logged in; log in; login to; login failed; login denied;
        user not authenticated; client not authenticated; username and password not accepted;
        bad username or password; invalid username; invalid login; incorrect authentication data; credentials invalid;
        invalid credentials; pop before smtp; check your mail before; unauthenticated senders not allowed;
        authorization required; anmeldung erforderlich; authentification; authentifizierung; autenticacion;
        autenticazione; autenticacao; 需要认证; 认证
        """,
        unless="""
        sender address rejected; sender not logged in; dkim; spf; dmarc; sender was not authenticated;
        email is not authenticated
        """,
        sample="530 5.7.0 Authentication required",
    ),
    ReplyRow(
        name="code:530",
        reason=Reason.AUTH_REQUIRED,
        codes=(530, 534, 535, 538),
        sample="535 5.7.0 no",
    ),
    ReplyRow(
        name="code:523",
        reason=Reason.TLS_REQUIRED,
        codes=(523,),
        unless=("message exceeds", "size", "quota", "mailbox"),
        sample="523 refused",
    ),
    ReplyRow(
        name="enhanced:x.7.57",
        reason=Reason.AUTH_REQUIRED,
        statuses=("x.7.57", "x.7.8"),
        sample="550 5.7.57 Client was not recognised",
    ),
)

SENDER_ROWS: tuple[ReplyRow, ...] = (
    *NOT_ABOUT_US,
    *_GREYLISTED,
    *_AUTH_FAILED,
    *_RATE,
    *_RELAY,
    *_TLS_AND_AUTH,
    *_PTR,
    *_SENDER,
    *_HELO_AND_LISTS,
)
