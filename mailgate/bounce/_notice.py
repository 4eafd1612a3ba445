"""Does a message look like one of the mail system's own? The header, the subject and the first words, no more.

Each sign is weak: it can be forged or missing. `NOTICE` opens the rows whose anchors are sentences of one program;
`SURE` needs two signs and opens the rows that would take any address behind any word of failure. A subject and words of
failure are two signs only where nothing speaks for a person or a newsletter: they write about lost parcels and bounces.
"""

from __future__ import annotations

from enum import IntEnum

from mailgate.records import Headers

MAX_OPENING_CHARACTERS = 400  # of a text; who speaks says so at once
MAX_LOOKED_AT_CHARACTERS = 20_000  # of a text, for words of failure


class Likeness(IntEnum):
    """How much a message looks like the mail system's own."""

    NONE = 0
    NOTICE = 1
    SURE = 2


_SENDERS: tuple[str, ...] = (
    "mailer-daemon", "mailer daemon", "postmaster", "mail-daemon", "maildaemon", "mdaemon", "mail delivery",
    "mail.delivery", "delivery subsystem", "delivery system", "delivery service", "mail system", "mail administrator",
    "mailadmin", "system administrator", "post_master", "mail_service", "mail service", "email service",
    "mailerdaemon", "returned mail", "mailgateway", "mail gateway", "interscan", "antivirus", "mail agent", "ndr@",
    "<>", "mailer@", "mail_security", "mail security", "microsoftexchange", "message router", "internet mail",
    "mail server", "mail transport", "メール", "邮件系统", "系统退信",
)  # fmt: skip
_FAINT_SENDERS: tuple[str, ...] = ("no-reply", "noreply", "do-not-reply", "donotreply", "bounce@", "bounces@")
_SUBJECTS: tuple[str, ...] = (
    "undeliver", "delivery fail", "failure notice", "returned mail", "delivery status", "delivery notification",
    "mail fail", "failed mail", "mail system error", "mail delivery", "delivery error", "error during delivery",
    "non-deliver", "nondeliver", "not delivered", "returned to sender", "delivery problem", "delivery report",
    "delivery delay", "delayed mail", "message delayed", "could not be delivered", "couldn't be delivered",
    "unable to deliver", "delivery has failed", "error sending", "message status", "user unknown", "unknown user",
    "rejected mail", "mail rejected", "failed delivery", "failure delivering", "warning: message",
    "warning: could not send", "mail could not", "message not sent", "email delivery", "failure notification",
    "message you sent blocked", "[bounce]", "bounced mail", "bounce message", "delivery to the following",
    "notification d'état", "non remis", "non distribué", "échec de la remise", "non recapitabile",
    "mancato recapito", "mancata consegna", "no se puede entregar", "no entregado", "error de entrega",
    "não entregue", "falha na entrega", "unzustellbar", "nicht zugestellt", "zustellung", "fehler bei der",
    "onbestelbaar", "niet bezorgd", "olevererbar", "oleverbar", "kunde inte levereras", "kan ikke leveres",
    "ikke levert", "nie można dostarczyć", "niedostarczon", "nedoručiteln", "kézbesíthetetlen", "не доставлен",
    "недоставлен", "не удается доставить", "teslim edilemedi", "メールエラー", "配信不能", "配信できません",
    "配送できません", "送信できません", "配信エラー", "未配信", "退信", "退回", "无法投递", "投递失败", "배달되지",
    "반송", "entrega fallida", "no entregable", "no se pudo entregar", "no se ha podido entregar",
    "devuelto al remitente", "mensaje devuelto", "não é possível entregar", "não entregável", "mensagem devolvida",
    "devolvida ao remetente", "message non délivré", "échec de remise", "retour à l'expéditeur",
    "messaggio non consegnato", "non consegnato", "restituito al mittente", "konnte nicht zugestellt",
    "unzustellbare", "niet afgeleverd", "niet bestelbaar", "ikke leveret", "kunne ikke leveres", "inte levereras",
    "ei voida toimittaa", "toimittamaton", "niedostarczaln", "nie dostarczon", "nelze doručit", "nedoručen",
    "nem kézbesíthető", "nelivrabil", "nu a putut fi livrat", "не удалось доставить", "ошибка доставки",
    "недоставка", "не вдалося доставити", "не доставлено", "δεν παραδόθηκε", "αδύνατη η παράδοση", "iletilemedi",
    "无法传递", "未送达", "无法送达", "無法傳遞", "無法投遞", "投遞失敗", "배달할 수 없", "전송 실패",
    "לא ניתן למסירה", "تعذر التسليم", "tidak terkirim", "tidak dapat dikirim", "tidak dapat disampaikan",
    "không gửi được", "không thể gửi", "không thể chuyển", "ไม่สามารถส่ง", "ส่งไม่ได้", "לא ניתן למסור", "غير قابل للتسليم",
    "nije moguće isporučiti", "neisporučivo", "neisporučeno", "nedostavljivo", "не може да бъде доставено",
    "nepristatyta",
    "nepiegādā", "kohaletoimetamatu", "전송되지", "전송에 실패", "발송 실패", "발송이 실패", "전달되지", "无法发送",
    "发送失败", "傳送失敗", "寄送失敗", "退件", "nebyla doručena", "nebola doručená", "nedoručená", "zwrot wiadomości",
    "nie została dostarczona", "mensagem não entregue", "email bounced", "mail bounced", "message bounced",
    "message undeliver", "bounce notification", "bounce notice", "delivery incomplete", "sending failed",
    "remise différée", "entrega retrasada", "entrega atrasada", "recapito ritardat", "bezorging vertraagd",
    "доставка отложена", "配信遅延", "配信が遅延", "dostarczanie opóźnion", "已延迟", "传递延迟", "leverans försenad",
    "levering forsinket",
)  # fmt: skip
# Sentences about mail that did not arrive. A word like "error" alone is in every second newsletter.
_FAILURES: tuple[str, ...] = (
    "not be delivered", "undeliver", "delivery failed", "delivery has failed", "delivery failure", "unable to deliver",
    "not delivered", "failed to deliver", "could not deliver", "couldn't deliver", "couldn't be delivered",
    "wasn't delivered", "cannot deliver", "can't deliver", "can't be delivered", "trouble delivering",
    "failed permanently", "error while attempting to deliver", "error occurred while trying to deliver",
    "attempting to deliver", "error delivering", "did not reach", "did not receive", "has not yet been delivered",
    "been delayed", "delivery attempt", "user unknown", "unknown user", "no such user", "mailbox unavailable",
    "mailbox is full", "mailbox full", "recipient rejected", "rejected recipient", "address rejected",
    "invalid recipient", "invalid user address", "trying to deliver your message", "not been delivered",
    "fatal errors", "delivery errors", "delivery problems", "delivery error", "delevery", "returned mail",
    "failure reasons", "blocked by our", "permanent error", "permanent fatal", "transcript of session", "rcpt to",
    "not listed in", "account is disabled", "account has been disabled", "delivery report", "bounced", "no mailbox",
    "nicht zugestellt", "unzustellbar", "nicht erreicht", "pas pu être", "pas été remis", "échec de la remise",
    "ne peut pas être remis", "no se ha entregado", "no se pudo", "no ha podido", "no se puede entregar",
    "non è stato recapitato", "impossibile recapitare", "não foi entregue", "não pôde", "niet worden bezorgd",
    "kunde inte", "kunne ikke", "nie można", "не доставлен", "не может быть", "не удалось", "送信できません",
    "配信できません", "配送できません", "エラー", "退回", "退信", "无法投递", "无法发送", "失败", "배달", "전송",
    "no se ha podido", "no pudo ser entregado", "no ha sido entregado", "não pode ser entregue", "não foi possível",
    "n'a pas pu", "n'ont pas pu", "pas été délivré", "impossible de remettre", "non è stato possibile",
    "non può essere consegnat", "konnte nicht", "konnten nicht", "niet afgeleverd", "niet bezorgd", "kan ikke leveres",
    "inte levereras", "ei voitu toimittaa", "nie została dostarczona", "nie można dostarczyć", "nelze doručit",
    "nebylo možné doručit", "nem sikerült kézbesíteni", "nu a putut fi livrat", "не вдалося", "δεν ήταν δυνατή",
    "teslim edilemedi", "iletilemedi", "gönderilemedi", "无法送达", "無法", "失敗", "未能成功发送", "未能送达",
    "发送失败",
    "발송이 실패", "발송하지 못", "반송", "gagal", "tidak dapat dikirim", "không thành công", "không thể gửi", "נכשלה",
    "ล้มเหลว", "ไม่สามารถ", "فشل", "nepodařilo", "nepodarilo", "nebyla doručena", "nebola doručená", "nije uspjela",
    "nije moguće isporučiti", "не може да бъде", "nepavyko", "neizdevās", "ebaõnnestus", "ni bilo mogoče",
    "été retardé", "posticipato", "отложена", "遅延", "opóźnion", "已延迟", "尚未送达",
)  # fmt: skip
# What the programs write first, whoever the header says has sent it.
_OPENINGS: tuple[str, ...] = (
    "hi. this is the", "this is the mail system at", "this is the postfix", "this is the qmail",
    "this message was created auto", "this is a delivery status notification",
    "this is an automatically generated delivery status", "this report relates to", "delivery has failed to these",
    "delivery to the following", "the original message was received at", "your message did not reach",
    "this message was undeliverable", "this is the mailer-daemon", "this is the dragonfly", "failed to deliver",
    "unable to deliver", "sorry, we were unable to deliver", "your message could not be delivered",
)  # fmt: skip
_REPLIES: tuple[str, ...] = (
    "re:",
    "aw:",
    "sv:",
    "rif:",
    "antw:",
    "fwd:",
    "fw:",
    "wg:",
    "tr:",
    "vs:",
    "答复",
    "回复",
    "转发",
)


def likeness(headers: Headers, subject_text: str, words: str) -> Likeness:
    """How much a message looks like the mail system's own. subject_text: decoded. words: its text."""
    subject = _is_failure_subject(subject_text)
    system = is_from_mail_system(headers)
    if not system and "list-unsubscribe" in headers:
        return Likeness.NONE
    if words[:MAX_OPENING_CHARACTERS].lower().lstrip(" \t\n*-=#").startswith(_OPENINGS):
        return Likeness.SURE
    if system and subject:
        return Likeness.SURE
    if system or subject:
        if not system and _is_from_somebody(headers):
            return Likeness.NOTICE
        text = words[:MAX_LOOKED_AT_CHARACTERS].lower()
        return Likeness.SURE if any(phrase in text for phrase in _FAILURES) else Likeness.NOTICE
    sender = (headers.get("from") or "").lower()
    return Likeness.NOTICE if any(word in sender for word in _FAINT_SENDERS) else Likeness.NONE


def is_from_mail_system(headers: Headers, *, by_path: bool = True) -> bool:
    """True when the sender is named like a mail system, or (`by_path`) the return path is empty."""
    path = headers.get("return-path") if by_path else None
    if path is not None and (path in ("<>", "") or "mailer-daemon" in path.lower()):
        return True
    sender = headers.decoded("from")
    if sender is None or not sender.strip():
        return True
    sender = sender.lower()
    return any(word in sender for word in _SENDERS)


def is_from_program(headers: Headers) -> bool:
    """True when the sender is a mail system, or says that he is some program (RFC 3834 5)."""
    return is_from_mail_system(headers) or "auto-submitted" in headers


def _is_from_somebody(headers: Headers) -> bool:
    """True when a message has a return path of its own, as people, shops and newsletters have, and no notice needs
    (RFC 3464 2); a program that does not know that at least says that it is one (RFC 3834 5)."""
    return bool((headers.get("return-path") or "").strip()) and "auto-submitted" not in headers


def is_postmaster_copy(headers: Headers, subject: str) -> bool:
    """True for Postfix's copy of a bounce that went to somebody else (notify_classes): it is about other people's
    mail."""
    return subject.startswith("Postmaster Copy:") or (headers.get("return-path") or "").startswith("<double-bounce@")


def _is_failure_subject(subject: str) -> bool:
    subject = subject.strip().lower()
    return bool(subject) and not subject.startswith(_REPLIES) and any(word in subject for word in _SUBJECTS)
