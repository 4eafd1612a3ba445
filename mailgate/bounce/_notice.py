"""Does a message look like one of the mail system's own? The header and the subject, no more.

Weak signs: any of them can be forged or missing. They only open the rows that have no anchors of their own.
"""

from __future__ import annotations

from mailgate.records import Headers

_SENDERS: tuple[str, ...] = (
    "mailer-daemon", "mailer daemon", "postmaster", "mail-daemon", "maildaemon", "mdaemon", "mail delivery",
    "mail.delivery", "delivery subsystem", "delivery system", "delivery service", "mail system", "mail administrator",
    "mailadmin", "system administrator", "post_master", "mail_service", "mail service", "email service",
    "mailerdaemon", "returned mail", "no-reply", "noreply", "gateway", "interscan", "antivirus", "mail agent", "ndr@",
    "<>", "メール", "邮件系统", "系统退信",
)  # fmt: skip
_SUBJECTS: tuple[str, ...] = (
    "undeliver", "delivery fail", "failure notice", "returned mail", "delivery status", "delivery notification",
    "mail fail", "failed mail", "mail system error", "mail delivery", "delivery error", "error during delivery",
    "non-deliver", "nondeliver", "non-delivery", "not delivered", "returned to sender", "delivery problem",
    "delivery report", "delivery delay", "delayed mail", "message delayed", "undelivered", "could not be delivered",
    "couldn't be delivered", "unable to deliver", "delivery has failed", "error sending your mail", "message status",
    "notification d'état", "bounce", "user unknown", "unknown user", "rejected mail", "mail rejected",
    "failed delivery", "failure delivering", "warning: message", "warning: could not send", "non remis",
    "non recapitabile", "mancato recapito", "no se puede entregar", "no entregado", "não entregue", "unzustellbar",
    "nicht zugestellt", "zustellung", "onbestelbaar", "niet bezorgd", "olevererbar", "kunde inte levereras",
    "kan ikke leveres", "nie można dostarczyć", "niedostarczon", "не доставлен", "недоставлен", "не удается доставить",
    "delivery to the following", "メールエラー", "配信不能", "配信できません", "配送できません", "送信できません",
    "配信エラー", "未配信", "退信", "退回", "无法投递", "投递失败", "배달되지", "반송", "failure notification",
    "mail could not", "message not sent", "email delivery",
)  # fmt: skip


def is_from_mail_system(headers: Headers) -> bool:
    """True when the return path is empty or the sender is named like a mail system."""
    path = headers.get("return-path")
    if path is not None and (path in ("<>", "") or "mailer-daemon" in path.lower()):
        return True
    sender = headers.decoded("from")
    if sender is None or not sender.strip():
        return True
    sender = sender.lower()
    return any(word in sender for word in _SENDERS)


def is_failure_subject(headers: Headers) -> bool:
    """True when the subject speaks of delivery."""
    subject = headers.decoded("subject")
    if not subject:
        return False
    subject = subject.lower()
    return any(word in subject for word in _SUBJECTS)
