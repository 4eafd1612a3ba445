"""Rows for refusals of the message itself: spam, viruses, form, size. The address is good in all of them."""

from __future__ import annotations

from mailgate.records._reasons import Reason
from mailgate.records._reply_rules import ReplyRow, row

CONTENT_ROWS: tuple[ReplyRow, ...] = (
    row(
        "text:virus",
        Reason.VIRUS,
        """
        virus; viruses; malware; infected; trojan; phishing; worm; eicar~; clamav; macro~ detected; malicious; вирус;
        病毒; ウイルス; ウィルス
        """,
        unless="""
        spam or virus; considered as spam; virus scanner unavailable; virus scanner failure; virus scan failed;
        no virus; virus checker; content rejected virus
        """,
        sample="550 Virus Detected; Content Rejected",
    ),
    row(
        "text:virus-content",
        Reason.VIRUS,
        "content rejected virus",
        sample="554 5.6.0 Message content rejected: virus Eicar-Test found",
    ),
    row(
        "text:spam",
        Reason.SPAM,
        """
        blacklisted url~; blacklisted link~; blacklisted uri~; blocked by our bulk email filter;
        blocked by our spam firewall; urlbl~; spam message; spam messages; spam detected;
        spam content; spam contents; spam filter; spam filters;
        spam score; spam rating; spam level; spam threshold; spam mail; spam email; spam rejected; spam reject;
        spam refused; spam not accepted; spam blocked; spam check~; spam rule~; spam signature; spam assassin;
        spamassassin; spam probability; spam points; spam related; spam like; spam engine; spam control; spam test;
        spam tagged; spam suspicion; suspected spam; suspicion of spam; suspected as spam; suspicious spam;
        considered spam; considered as spam; considered to be spam; considered unsolicited; classified as spam;
        classified as bulk; classed as spam; identified as spam; detected as spam; marked as spam; flagged as spam;
        scored as spam; recognized as spam; rejected as spam; refused as spam; blocked as spam; is spam; be spam;
        was spam; spam by; appears to be spam; appears to be unsolicited; appears to contain spam; looks like spam;
        look like spam; smells like spam; contains spam; contain spam; high probability of spam;
        probability of being spam; probable spam; possible spam; likely spam; probably spam; no spam;
        anti spam system; antispam; anti spam filter; anti spam policy; content filter spam; unsolicited; junk mail;
        junk email; bulk email; bulk mail; bayes~; uribl; surbl; url ... blacklist~; url ... block; url ... listed;
        uri ... blacklist~; link ... blacklist~; domain ... blacklisted in message; content ... blacklist~;
        content ... spam; message contained spam; message contained unsafe content; gtube; dspam; rspamd; cloudmark;
        advertis~ mail; unwanted content; unerwunschte; als spam; spam erkannt; spamverdacht; courrier indesirable;
        comme spam; correo no deseado; como spam; posta indesiderata; come spam; jako spam; как спам; является спамом;
        спам; 垃圾邮件; 垃圾郵件; 迷惑メール; 스팸
        """,
        unless="""
        blocking ip; from your ip; spam source~; your ip address; client host; blocked using; listed in; listed at;
        listed by; spam abuse; your server; unusual rate; spamhaus~; rbl; abuse of spam; sender ... spam filter;
        to prevent spam
        """,
        sample="554 5.6.0 This message has been scored as spam with a probability of more than 90%",
    ),
    row(
        "text:too-large",
        Reason.TOO_LARGE,
        """
        message too large; message too big; message is too large; message is too big; message too long;
        message is too long; message size exceed~; message size is; message size limit; message size too;
        message exceeds ... size; message exceeded; message exceeds; message length exceeds; message length exceeded;
        message file too big; message header size exceeds; message headers ... too large; mail size; mail too large;
        mail is too large; mail file size exceeds; email size exceed~; maximum message size; max message size;
        maximum size; maximum allowed size; maximum mail size; size limit; size limits; size of your message;
        size of the message; size of this message; size exceeds; size exceeded; exceeds size; exceeds the size;
        exceeds ... maximum size; exceeds maximum; exceeds fixed maximum; exceeds the maximum; exceeds the allowable;
        exceeds administrative limit; exceeds ... size limit; exceeds your limit; exceeded the size; larger than;
        too much mail data; too much data; too large for; attachment too large; attachments too large;
        permissible size; file too large; file size limit exceeded; body too large; body too big; data size exceeds;
        object too large; message ... is larger; nachricht zu gross; nachricht ist zu gross; message trop volumineux;
        taille maximale; mensaje demasiado grande; tamano maximo; messaggio troppo grande; dimensione massima;
        mensagem muito grande; слишком больш~; 大小超过; サイズ
        """,
        unless="""
        mailbox size limit; mailbox ... size limit exceeded; exceeds mailbox; mailbox quota; over quota;
        quota exceeded; maximum number of; mailbox is full; mailbox full; mailbox exceeds;
        mailbox ... exceeded storage; user ... exceeded storage; number of; hop; hops
        """,
        sample="552 5.3.4 Message too large",
    ),
    ReplyRow(
        name="enhanced:x.3.4",
        reason=Reason.TOO_LARGE,
        statuses=("x.3.4", "x.2.3"),
        sample="552 5.3.4 rejected",
    ),
    row(
        "text:smtputf8",
        Reason.SMTPUTF8_UNSUPPORTED,
        """
        smtputf8; utf8smtp; internationalized; internationalised; internationalized email; non ascii address~;
        non ascii local part; non ascii addresses not permitted; utf 8 address~; utf 8 addresses not permitted;
        address contains non ascii; eai
        """,
        sample="553 5.6.7 Address requires SMTPUTF8",
    ),
    ReplyRow(
        name="enhanced:x.6.7",
        reason=Reason.SMTPUTF8_UNSUPPORTED,
        statuses=("x.6.7", "x.6.8"),
        sample="553 5.6.7 refused",
    ),
    row(
        "text:content",
        Reason.CONTENT_REJECTED,
        """
        header from address; line length is; line length limit; maximum line length; allowed line length;
        lines longer than; rfc compliance; unacceptable content; attachment ... not allowed;
        attachment ... not permitted; attachment ... not accepted; attachment ... rejected; attachment ... blocked;
        attachment ... prohibited; attachment ... removed; attachment ... forbidden; attachment type; attachment name;
        attachment policy; attachment content; attachments are not; attachments of ... type;
        attachments ... not allowed; attachments ... blocked; attachments ... rejected; contains an attachment;
        contains ... attachment; dangerous attachment; blocked attachment; banned attachment; prohibited attachment;
        disallowed attachment; executable attachment; executable content; executable file; file name ... not allowed;
        filename ... not allowed; filename extension; banned filename; content conversion; conversion required;
        conversion not; zip file ... not; blocked file; forbidden file; content rejected; content reject;
        content not accepted; content denied; content refused; content restriction~; content violation;
        content policy; content filter~; content is not; content is blocked; content type; content error;
        content encoding; content transfer encoding; contents rejected; body rejected; body content; media error;
        media not supported; message not rfc; rfc compliant; rfc 822 compliant; rfc 2822 compliant; rfc 5322; rfc5322;
        rfc 2822; rfc2822; rfc 822; rfc822 standard; not rfc compliant; not compliant with rfc;
        not standards compliant; non compliant; non rfc; duplicate header~; missing header; missing required header~;
        missing message id; missing from; missing to; missing date; missing subject; no message id; no valid from;
        from header; to header; date header; subject header; message id header; header error; header errors;
        header line too long; header ... malformed; header ... invalid; header ... too long; header check~;
        header syntax; header syntax error; headers fail;
        headers consist entirely; headers too large; bad header; bad headers;
        invalid header; invalid headers; malformed header~; malformed message; malformed mime; malformed mail;
        malformed email; improper headers; improper use of 8 bit; improper format; 8 bit data; 8bit data; eight bit;
        bare lf; bare cr; bare line feed; bare linefeed~; bare newline~; bare carriage return~; line too long;
        lines too long; line length exceed~; mime error; mime boundary; mime header; mime nesting; mime structure;
        invalid mime; illegal mime; mime violation; invalid character~; invalid charset; unsupported charset;
        character set; bad date; date in the future; date in the past; file type; file extension~; encrypted zip;
        password protected; banned file; banned name; banned content; message contains ... prohibited;
        message contains forbidden; message contains ... url; message is blocked; message body; message header;
        unsupported media; unable to parse message; cannot parse message; could not parse; illegal attachment;
        subject contains invalid; subject ... blacklist~; subject rejected; forbidden content; inappropriate content;
        inappropriate language; objectionable content; violates ... content; 8bitmime; 8 bit mime; binarymime; anhang;
        piece jointe; archivo adjunto; allegato
        """,
        unless="""
        security conversion; transport local lda; command output; xaddr ... account; quota; user unknown;
        temporarily unavailable
        """,
        sample="550 5.6.0 Message rejected: malformed MIME header",
    ),
)

CONTENT_FALLBACK: tuple[ReplyRow, ...] = (
    row(
        "text:spam-word",
        Reason.SPAM,
        "spam; spammy; spams; spamming; ube; uce; bulk",
        unless="to prevent spam; to fight spam; to reduce spam; anti spam; reduce the amount of spam; not spam",
        sample="550 5.7.1 Spam",
    ),
    ReplyRow(
        name="enhanced:x.6.*",
        reason=Reason.CONTENT_REJECTED,
        statuses=("x.6.*",),
        sample="550 5.6.9 refused",
    ),
)
