"""Rows about the road and the servers, then what is left: policy words, enhanced codes in general, bare codes."""

from __future__ import annotations

from mailgate.records._reasons import Reason
from mailgate.records._reply_rules import ReplyRow, row


def _status(reason: Reason, sample: str, *statuses: str, classes: str = "45", codes: tuple[int, ...] = ()) -> ReplyRow:
    return ReplyRow(
        name=f"enhanced:{statuses[0]}", reason=reason, statuses=statuses, classes=classes, codes=codes, sample=sample
    )


def _code(
    reason: Reason, sample: str, *codes: int, stages: tuple[str, ...] = (), classes: str = "45", note: str = ""
) -> ReplyRow:
    where = f"-{stages[0]}" if stages else ""
    return ReplyRow(
        name=f"code:{codes[0]}{where}{note}", reason=reason, codes=codes, stages=stages, classes=classes, sample=sample
    )


LOCAL_ROWS: tuple[ReplyRow, ...] = (
    row(
        "text:loop",
        Reason.LOOP,
        """
        mx record points to local host; mx points to localhost; points to local host; mail loop; mail loops;
        mail is looping; mail looping; mail forwarding loop; message loop; message looping; message is looping;
        loops back to; loops to itself; loop detected; loop count; looping; forwarding loop; routing loop;
        delivery loop; too many hops; too many received; maximum hop; hop count; hops exceeded; hops count;
        possible loop; unreachable ... loop; already has my delivered to; message is already in ... mailing list;
        has already been delivered; best preference mx; best preference mx records; alias loop; includes itself;
        endlosschleife; schleife; boucle; bucle
        """,
        sample="554 Too many hops",
    ),
    row(
        "text:local-delivery",
        Reason.LOCAL_DELIVERY_FAILED,
        """
        command time limit exceeded; command exited; child exited; child process of ... transport returned;
        child process; pipe to ... failed; pipe ... failed; local delivery failed; local delivery error; procmail;
        maildrop; mail drop program; mailer error; mailer exited; mailer returned; mailer ... exited with;
        delivery program; delivery agent; dot forward; forward file; cannot open mailbox; can t open mailbox;
        cannot create; couldn t create; couldn t open mailbox; unable to open mailbox; can t create output;
        can t create user output file; cannot append; cannot update mailbox; unable to lock; unable to get lock;
        lock failure; lock file; error writing message; error while writing; error opening; write error;
        permission denied; i o error; is not a directory; aliasing forwarding loop; transport local;
        maildir delivery failed; mailbox database; lda; exited with ... status; exit status; exit code; x unix
        """,
        unless="connection; connect to; tls",
        sample="local delivery failed",
    ),
    row(
        "text:connection",
        Reason.CONNECTION_FAILED,
        """
        unreachable for too long;
        network is down; timeout while; timeout after; timeout connecting; read timeout; session timeout;
        idle timeout; smtp timeout; timeout exceeded; connection refused; connection timed out;
        connection connection reset; connection lost; connection dropped; connection closed; connection failed;
        connection failure; connection error; connection died; connection aborted; connection broken;
        connection terminated; connection was dropped; connection to mail exchanger failed; connection to ... failed;
        connection to ... timed out; connection to ... lost; connection unexpectedly; connection attempt~;
        connect failed; connect to ... failed; connect to ... timed out; connect to ... refused; connect error;
        connect timeout; connecting to; connected ... but connection died; accept our requests to connect;
        cannot connect; can t connect; could not connect; couldn t connect; unable to connect; unable to contact;
        unable to establish; failed to connect; failed to contact; wasn t able to establish an smtp connection;
        able to establish an smtp connection; could not establish; no route to host; no answer from host;
        no response from; network is unreachable; network unreachable; network error; network problem~;
        network operation timed out; host unreachable; host is unreachable; host is down; host down;
        host not responding; host not reachable; remote host ... unreachable; server ... did not respond;
        server did not respond; server not responding; server is not responding; server unreachable; server down;
        operation timed out; timed out; timeout; timeout waiting; socket error; broken pipe; lost connection;
        lost input channel; conversation with ... timed out; while performing the helo handshake; socket; end of file;
        unexpected eof; did not like our; communication failure; communication error; bad connection;
        verbindung ... abgelehnt; verbindung ... fehlgeschlagen; keine verbindung; connexion refusee;
        connexion impossible; conexion rechazada; connessione rifiutata
        """,
        unless="""
        message timed out; retry timeout exceeded; retry time not reached; did not like our rcpt;
        did not like our data; did not like our mail
        """,
        sample="connect to mx.example.com[192.0.2.1]:25: Connection refused",
    ),
)

SERVER_ROWS: tuple[ReplyRow, ...] = (
    row(
        "text:server",
        Reason.SERVER_ERROR,
        """
        undefined mail system status; mail system status; local error; local configuration error; local problem;
        server configuration; server configuration problem; server configuration error; server error;
        server temporarily unavailable; internal error; internal server error; internal software error;
        internal problem; system error; system failure; system problem; system config error; configuration error;
        configuration problem; mail system configuration error; mail system error; misconfigured; misconfiguration;
        mail for ... loops; mx list ... points back; although i m listed as a best preference mx; database error;
        database failure; ldap; lookup table; out of memory; cannot allocate memory;
        resources temporarily unavailable; resource temporarily unavailable; insufficient resources; no resources;
        temporary local problem; temporary system problem; temporary server error; temporary failure; temporary error;
        temporary problem; temporary lookup failure; temporarily unable; temporarily unavailable;
        temporarily rejected; temporarily deferred; temporarily not available; temporarily;
        service temporarily unavailable; service currently unavailable; service unavailable try;
        service not available closing; system not accepting; system shutdown; system is shutting down;
        server shutting down; server busy; server too busy; system busy; busy; try again; try later; retry later;
        please try later; please retry; come back later; unable to process; error in processing; cannot process;
        queue file write error; queuefile; unable to accept message; milter; error 5 7 1 unable to; exception;
        unable to scan; virus scanner; virus checker; scanner ... unavailable
        """,
        unless="user; recipient error",
        sample="554 5.3.5 Local configuration error",
    ),
)

LATE_ROWS: tuple[ReplyRow, ...] = (
    row(
        "text:expired",
        Reason.EXPIRED,
        """
        retry timeout exceeded; retry time not reached; message expired; envelope expired; delivery time expired;
        delivery expired; queue lifetime; expired in queue; expired from queue; has expired; message timed out;
        message has been in the queue too long; message has been in queue too long; been in the queue too long;
        in the queue too long; queue too long; too long in queue; too long on queue; cannot send message for;
        could not be delivered for; could not deliver for the last; unable to deliver this message after;
        unable to deliver message after; unable to deliver ... for ... days;
        all hosts have been failing for a long time; host has been down; delivery attempts failed;
        delivery failed ... attempts; delivery failed 20 attempts; delivery failed 10 attempts;
        number of delivery attempts exceeded; maximum delivery attempts; maximum retries; max retries;
        too many retries; retries exceeded; retry limit; retry count exceeded; not delivered within;
        was not delivered within; delivery delayed; delivery has been delayed; delivery is delayed;
        has not yet been delivered; not yet been delivered; still being retried;
        will keep trying; will be retried; will continue to be made; delivery attempts will continue;
        attempts to deliver; undeliverable after; message delayed; aborted after; was aborted after;
        temporarily undeliverable; deferred ... too long; zeit uberschritten
        """,
        sample="retry timeout exceeded",
    ),
    _status(Reason.EXPIRED, "550 4.4.7 no", "x.4.7", "x.4.300"),
)

# A text that speaks of "later" is temporary where the code says so; with a 5yz code it is the server's own trouble.
LATER_REPLY_ROWS: tuple[ReplyRow, ...] = (
    row(
        "text:later",
        Reason.TEMPORARY_FAILURE,
        """
        try again; try later; retry later; retry; later; busy; temporar~; local error; closing connection;
        service not available; service unavailable; server configuration problem; unable to process; shutting down;
        deferred
        """,
        codes=tuple(range(400, 500)),
        sample="451 4.3.0 Temporary lookup failure",
    ),
)

PROTOCOL_ROWS: tuple[ReplyRow, ...] = (
    row(
        "text:protocol",
        Reason.PROTOCOL_ERROR,
        """
        bad sequence of commands; bad sequence; bad command sequence; command out of sequence; command unrecognized;
        command not recognized; command unknown; command not implemented; command not supported; command not allowed;
        command parameter not; command rejected; unrecognized command; unrecognised command; unknown command;
        invalid command; unsupported command; unsupported option; unsupported parameter; syntax error;
        syntax incorrect; invalid parameter~; invalid argument~; parameter not implemented; parameters not recognized;
        not implemented; protocol error; synchronization error; synchronisation error; improper command pipelining;
        pipelining; send hello first; send helo first; send ehlo first; say hello first; polite people say; need mail;
        need rcpt; need recipient; need mail command; need mail before rcpt; mail first; rcpt first;
        nested mail command; sender already specified; sender already given; duplicate mail; helo first; ehlo first;
        helo required; expected helo
        """,
        unless="sender; from domain; user unknown",
        sample="503 Bad sequence of commands",
    ),
    row(
        "text:sender-already",
        Reason.PROTOCOL_ERROR,
        "sender already specified; sender already given",
        sample="503 Sender already specified",
    ),
    _code(Reason.PROTOCOL_ERROR, "502 no", 500, 501, 502, 503, 504, 555, note=""),
)

POLICY_ROWS: tuple[ReplyRow, ...] = (
    row(
        "text:policy",
        Reason.POLICY,
        """
        policy; policies; prohibited; not authorized; not authorised; unauthorized; not permitted; not allowed;
        administrative prohibition; administratively prohibited; administratively denied; security; message denied;
        message refused; message rejected; message not accepted; message was not accepted; message declined;
        mail rejected; mail refused; mail not accepted; mail denied; email rejected; email refused; e mail rejected;
        delivery not authorized; delivery refused; delivery denied; access denied; protocol violation; violation;
        terms of service; legal reasons; compliance; confidential; dlp; footer ... unsubscribe; unsubscribe;
        richtlinie~; politique; politica; politicas; 政策; 策略; 拒绝; 拒絕; ポリシー
        """,
        unless="user unknown",
        sample="550 5.7.1 Delivery not authorized, message refused",
    ),
)

ENHANCED_ROWS: tuple[ReplyRow, ...] = (
    _status(Reason.MAILBOX_NOT_FOUND, "550 5.1.1 no", "x.1.1", "x.1.4"),
    _status(Reason.DOMAIN_NOT_FOUND, "550 5.1.2 no", "5.1.2"),
    _status(Reason.DNS_ERROR, "450 4.1.2 no", "4.1.2"),
    _status(Reason.DOMAIN_NOT_ACCEPTING, "556 5.1.10 no", "x.1.10"),
    _status(Reason.BAD_ADDRESS, "450 4.1.3 no", "4.1.3"),
    _status(Reason.MAILBOX_DISABLED, "550 5.2.1 no", "5.2.1", classes="5"),
    _status(Reason.MAILBOX_DISABLED, "450 4.2.1 no", "4.2.1", classes="45"),
    _status(Reason.RATE_LIMITED, "550 5.2.121 no", "x.2.121", "x.2.122", "x.7.28", "x.7.508", "x.7.650"),
    _status(Reason.CONNECTION_FAILED, "441 4.4.1 no", "x.4.1", "x.4.2", "x.4.316", "x.4.317"),
    _status(Reason.DNS_ERROR, "450 4.4.3 no", "x.4.3", "x.4.310", "x.4.312"),
    _status(Reason.DOMAIN_NOT_FOUND, "550 5.4.4 no", "5.4.4", classes="5"),
    _status(Reason.DNS_ERROR, "450 4.4.4 no", "4.4.4"),
    _status(Reason.RATE_LIMITED, "550 5.4.5 no", "5.4.5", classes="5"),
    _status(Reason.LOOP, "554 5.4.6 no", "x.4.6", "x.4.8", "x.4.14"),
)

GENERAL_ROWS: tuple[ReplyRow, ...] = (
    _code(Reason.DOMAIN_NOT_ACCEPTING, "521 no", 521, 556, stages=("ehlo", "mail", "rcpt", "data")),
    _status(Reason.POLICY, "554 5.7.0 no", "5.7.*", classes="5"),
    # Postfix writes "Recipient address rejected:" before whatever its access table says, so alone it proves nothing: a
    # 554 or a 5.7.z behind it is a policy, and only what is left here is about the address.
    row(
        "text:address-rejected",
        Reason.MAILBOX_NOT_FOUND,
        "recipient address rejected; address rejected; addresses rejected; recipient address ... rejected",
        codes=(0, 501, 511, 550, 551, 553),
        classes="5",
        unless="""
        temporarily rejected; recipient address rejected access denied; recipient address rejected policy;
        recipient address rejected message; recipient address rejected mailer error;
        recipient address rejected on hold; recipient address rejected system; recipient address rejected spf;
        recipient address rejected client; recipient address rejected service;
        recipient address rejected temporar~; recipient address rejected try again; recipient address rejected 4
        """,
        sample="550 #5.1.0 Address rejected.",
    ),
    _status(Reason.SERVER_ERROR, "554 5.2.4 no", "5.2.4", "5.3.2-3", "5.3.5", classes="5"),
    _status(Reason.PROTOCOL_ERROR, "550 5.5.1 no", "5.5.1-9", classes="5"),
    _status(Reason.MAILBOX_NOT_FOUND, "550 5.1.0 no", "5.1.0", "5.1.5", classes="5"),
    _code(Reason.BLOCKED, "554 no", 550, 551, 553, 554, 521, 571, stages=("connect",)),
    _code(Reason.BLOCKED, "554 no", 550, 554, stages=("ehlo",)),
    _code(Reason.SENDER_REJECTED, "550 no", 550, 551, 553, 554, stages=("mail",)),
    _code(Reason.POLICY, "550 no", 550, 551, 553, 554, 571, stages=("data",)),
    _code(Reason.TOO_LARGE, "552 no", 552, stages=("data", "mail")),
    _code(Reason.MAILBOX_FULL, "552 no", 552, stages=("rcpt",)),
    _code(Reason.MAILBOX_NOT_FOUND, "550 no", 550, 551, 553, stages=("rcpt",)),
    _code(Reason.POLICY, "554 no", 554, 571),
    _code(Reason.CONNECTION_FAILED, "447 no", 426, 441, 442, 447),
)


def build_fallbacks() -> tuple[ReplyRow, ...]:
    """The last rows: every code has one."""
    return (
        _code(Reason.TEMPORARY_FAILURE, "450 no", *range(400, 500)),
        _code(Reason.POLICY, "599 no", *range(500, 600), note="-other"),
    )
