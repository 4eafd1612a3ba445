"""Rows about the recipient: its mailbox, its address, its domain, its wishes.

Full, disabled and moved stand before the enhanced codes: 5.1.1 is seen with "over quota" and with "archived". Not-found
texts stand after the codes that are more exact than they are.
"""

from __future__ import annotations

from mailgate.records._reasons import Reason
from mailgate.records._reply_rules import ReplyRow, row


def _status(reason: Reason, *statuses: str, unless: tuple[str, ...] = (), classes: str = "45") -> ReplyRow:
    first = statuses[0].replace("x.", "5." if "5" in classes else "4.", 1).replace("*", "9").partition("-")[0]
    code = "550" if first.startswith("5") else "450"
    return ReplyRow(
        name=f"enhanced:{statuses[0]}",
        reason=reason,
        statuses=statuses,
        unless=unless,
        classes=classes,
        sample=f"{code} {first} refused",
    )


RESTRICTED_ROWS: tuple[ReplyRow, ...] = (
    row(
        "text:not-authorized",
        Reason.RECIPIENT_RESTRICTED,
        """
        chosen not to receive; does not want to receive; delivery is not allowed to;
        delivery to this address is not allowed; blocked address; address is blocked; badrecipientto~; badrcptto~;
        user rules; user filter~; user refuses; user has refused; user rejected; user not accepting;
        user does not accept; user doesn t accept; user reject; recipient refuses; recipient has refused;
        recipient refused; recipient rejects; recipient does not accept; recipient does not want;
        recipient doesn t want; recipient doesn t accept; recipient not accepting; recipient only accepts;
        recipient accepts only; recipient s filter~; recipient s preference~; recipient s policy; recipient policy;
        recipient filter~; recipient restrict~; by recipient filter; by the recipient s; rejected by recipient;
        rejected by the recipient; rejected by user; refused by recipient; refused by the recipient; refused by user;
        denied by recipient; allowed senders; allowed sender list; only accepts mail from; only accepts messages from;
        only accepts email from; accepts mail only from; only internal; internal use only; internal senders only;
        not accept external; does not accept mail from external; external senders; external mail not accepted;
        no external; from outside; outside the organization; outside of the organization; outside your organization;
        not authorized to send to; not authorized to send mail to; not authorized to send messages to;
        not authorised to send; not allowed to send to; not allowed to send mail to; not allowed to send messages to;
        not permitted to send to; not permitted to send email to; no permission to send to;
        do not have permission to send; don t have permission to send; you do not have permission;
        permission to send messages to; prohibited from sending mail to; delivery to this address is restricted;
        address is restricted; recipient is restricted; restricted recipient; restricted mailbox; refuses to receive;
        does not wish to receive; doesn t wish to receive; not whitelisted; not in whitelist; not on whitelist;
        not in my whitelist; not in your contact; message filtered; mail filtered; sender is not in; sender not in;
        sender was not authenticated; sieve; milter rejected by user; does not accept bounces; no bounces;
        accepts no bounces; only accepts authenticated; recipient access denied;
        recipient address rejected access denied; recipient address rejected policy;
        the e mail address ... is not allowed to receive; nimmt keine; empfanger verweigert; annahme verweigert;
        n accepte pas; 受信拒否
        """,
        unless="user unknown; doesn t accept mail from your ip; no such user; host; client",
        sample="550 message rejected due to user rules",
    ),
    _status(Reason.RECIPIENT_RESTRICTED, "x.7.12", "x.7.120-124", "x.7.133-136", "x.7.193"),
    row(
        "text:mailing-list",
        Reason.MAILING_LIST,
        """
        mailing list expansion prohibited; not a member of; not a member; non member~; nonmember~; members only;
        member only; members of this list; members may post; members can post; only members; only subscribers;
        subscribers only; not a subscriber; not subscribed; list members; list is closed; list is moderated;
        moderated list; moderated group; closed list; post to this list; post to the list; post to this mailing list;
        posting to this list; posting to the list; not allowed to post; not permitted to post; not authorized to post;
        cannot post to; mailing list is closed; mailing list ... restricted; moderator s decision; awaits moderator;
        awaiting moderator; held until the list moderator; being held until
        """,
        unless="mailing list hygiene",
        sample="550 5.7.2 Only members may post to this list",
    ),
    _status(Reason.MAILING_LIST, "x.7.2"),
    row(
        "text:challenge",
        Reason.CHALLENGE,
        """
        boxbe; challenge response; confirm that you are; prove you are human; prove that you are human;
        to be added to ... guest list; please verify your email by; confirmation of your message is required;
        spamarrest; tmda
        """,
        sample="450 4.7.0 Boxbe: message quarantined, the sender is not on the guest list",
    ),
)

MAILBOX_ROWS: tuple[ReplyRow, ...] = (
    row(
        "text:mailbox-full",
        Reason.MAILBOX_FULL,
        """
        mail quota has exceeded; mail quota exceeded; mailbox limit exeeded;
        容量が超過; 容量を超過; inbox size limit; inbox ... limit; skrzynka ... przepełniona; 용량이 초과; 메일함이 꽉;
        writing message file too large; 空间已满; 空間已滿; 已满; postlåda ... full; inkorg ... full;
        postkasse ... fuld; indbakke ... fuld; innboks ... full; postilaatikko ... täynnä; posta kutusu dolu;
        posta kutusu ... dolu; schránka ... plná; postafiók megtelt; postafiók ... megtelt; inbox-ul ... plin;
        cutie poștală ... plină; скринька переповнена; поштова скринька переповнена; bandeja de entrada ... llena;
        boîte de réception est pleine; posteingang ist voll; casella piena; postvak in is vol;
        exceeded storage allocation; mailbox full; mailbox is full; mailbox currently full; mailbox too full;
        mailbox has exceeded; mailbox exceed~; mailbox size limit~; mailbox limit exceeded; mailbox over ... quota;
        mailbox is over; mailbox over quota; mailbox quota; mailbox storage; mailbox ... is almost full;
        mailbox for ... is full; mailbox ... is full; mailbox would exceed; mailbox ... over its storage;
        mail box full; mail box is full; mailfolder is full; mailfolder full; mail folder is full; maildir over quota;
        maildir delivery failed ... quota; maildrop over quota; maildrop ... full; inbox full; inbox is full;
        inbox is out of storage; user ... mailbox full; user is over quota; user over quota; user has exceeded;
        user has too many messages; user s mailbox is full; user exceeded quota; user ... out of quota;
        user is invited to retry; users mailfolder; account is full; account full; account is over quota;
        account over quota; account has exceeded; account ... exceeded; account exceeds; account ... quota;
        recipient overquota; recipient over quota; recipient s mailbox is full; recipient mailbox is full;
        recipient mailbox full; recipient is over quota; recipient has exceeded; recipient reached disk quota;
        recipient storage full; recipient ... exceeded; quota exceeded; quota exceed; quota exceeds; quota exceeded~;
        quota limit; quota violation; quota full; quota has been; quota is full; quota reached; quotaexceeded~;
        exceeded quota; exceeded his quota; exceeded their quota; exceeded its quota; exceeded ... quota;
        exceeds quota; exceed quota; exceed mailbox quota; exceeds ... quota; over quota; overquota; out of quota;
        beyond quota; above quota; disk quota; storage quota; exdiskquota; edquot; insufficient quota;
        not enough quota; no quota; over its storage limit; over storage limit; out of storage space; storage space;
        not enough storage space in; not enough space in; not enough disk space in mailbox; has insufficient space;
        has run out of space; too many messages on this mailbox; too many messages in ... mailbox; max storage;
        maximum storage; boite ... pleine; boite aux lettres pleine; boite de reception ... pleine; quota depasse;
        quota atteint; depasse ... quota; espace de stockage; postfach ... voll; postfach voll; mailbox ist voll;
        mailbox voll; postfach uberfullt; speicherplatz ... uberschritten; quota uberschritten; speicherlimit;
        buzon lleno; buzon ... lleno; casilla llena; cuota excedida; cuota de ... excedida; excedio su cuota;
        casella ... piena; casella di posta ... piena; mailbox piena; quota superata; caixa postal cheia;
        caixa de correio cheia; caixa ... cheia; quota excedida; mailbox is vol; postvak ... vol; postvak is vol;
        skrzynka ... pelna; skrzynka pelna; skrzynka jest pelna; ящик переполнен; почтовый ящик переполнен;
        переполнен; превышена квота; квот~; 邮箱已满; 郵箱已滿; 信箱已滿; 空间不足; メールボックスがいっぱい;
        メールボックスが一杯; メールボックスが満杯; メールボックスに空きがありません; 一杯のため; 容量を超え;
        容量超過; 메일함이 가득; 용량 초과
        """,
        unless="""
        message size; daily ... quota exceeded; sending quota; hourly quota; recipients exceeded; inbox is not full
        """,
        sample="552 5.2.2 <user@example.com>... Mailbox full",
    ),
    _status(Reason.MAILBOX_FULL, "x.2.2"),
    row(
        "text:storage-full",
        Reason.STORAGE_FULL,
        """
        insufficient system storage; insufficient storage; insufficient disk space; insufficient system resources;
        insufficient disk storage; no space left on device; not enough disk space; not enough space;
        not enough storage; out of disk space; disk full; disk is full; disk space; system storage exceeded;
        system storage; server storage; mail system full; spool ... full; filesystem full; file system full;
        file system is full; partition full
        """,
        unless="insufficient system storage 452 4 2 2",
        sample="452 4.3.1 Insufficient system storage",
    ),
    _status(Reason.STORAGE_FULL, "x.3.1"),
    row(
        "text:mailbox-moved",
        Reason.MAILBOX_MOVED,
        """
        has moved; have moved; mailbox moved; user moved; user has moved; recipient moved; recipient has moved;
        recipient no longer on server; no longer on server; address has changed; address changed; new address;
        new email address; changed ... email address; changed ... e mail address; please try xaddr; please use xaddr;
        please send to xaddr; please send ... mail to xaddr; use xaddr instead; user not local please try;
        address ... no longer in use please use; has been replaced by; destination mailbox has moved;
        no forwarding address; adresse a change; nouvelle adresse; neue adresse; neue e mail adresse;
        adresse hat sich geandert; nueva direccion; nuovo indirizzo; новый адрес
        """,
        unless="problem persists; contact xaddr; temporarily moved; try again; for help please use; unlisted",
        sample="551 5.1.6 <user@example.com>: User has moved; please try <user@example.net>",
    ),
    ReplyRow(
        name="code:551-forward",
        reason=Reason.MAILBOX_MOVED,
        phrases=("please try", "try xaddr", "user not local"),
        codes=(551,),
        unless=("try again",),
        sample="551 User not local",
    ),
    _status(Reason.MAILBOX_MOVED, "x.1.6", "x.7.17-18"),
    row(
        "text:mailbox-disabled",
        Reason.MAILBOX_DISABLED,
        """
        no longer accepts mail; no longer accepts; no longer accepting; account disabled; account is disabled;
        account has been disabled; account temporarily disabled; account ... is disabled;
        account that you tried to reach is disabled; account is not active; account not active; account inactive;
        account is inactive; account inactivated; account has been inactive; account deactivated;
        account is deactivated; account has been deactivated; account suspended; account is suspended;
        account has been suspended; account ... suspended; account locked; account is locked; account has been locked;
        account ... locked; account expired; account is expired; account has expired; account closed;
        account is closed; account has been closed; account terminated; account has been terminated;
        account cancelled; account frozen; account is frozen; account on hold; account is on hold;
        account not activated; account unavailable; account is unavailable; account is temporarily unavailable;
        account is not currently; account is currently; accounts disabled; inactive account; disabled account;
        suspended account; expired account; disabled due to inactivity; disabled due to extended inactivity;
        due to extended inactivity; due to inactivity; unused for; has not been used; not logged in for;
        mailbox disabled; mailbox is disabled; mailbox has been disabled; mailbox temporarily disabled;
        mailbox is temporarily disabled; mailbox ... disabled; mailbox suspended; mailbox is suspended;
        mailbox has been suspended; mailbox is inactive; mailbox inactive; mailbox not active; mailbox is not active;
        mailbox deactivated; mailbox is frozen; mailbox frozen; mailbox locked; mailbox is locked; mailbox is closed;
        mailbox closed; mailbox expired; mailbox has expired; mailbox not accepting; mailbox is not accepting;
        mailbox ... currently suspended; mailbox cannot be accessed; mailbox currently suspended;
        not currently being accepted for this mailbox; not accepting messages for this; user disabled;
        user is disabled; user has been disabled; user suspended; user is suspended; user has been suspended;
        user account ... disabled; user account is disabled; user account expired; user account suspended;
        user inactive; user is inactive; user not active; user is not active; user locked; user is locked;
        user ... locked; user deactivated; user closed; user is expired; user expired; user frozen; temporary locked;
        temporarily locked; disabled user; inactive user; inactive recipient; recipient disabled;
        recipient is disabled; recipient suspended; recipient is suspended; recipient has been suspended;
        recipient inactive; recipient is inactive; recipient not active; recipient is not active;
        recipient account disabled; recipient address disabled; recipient address has been disabled;
        recipient archived; archived recipient; disabled recipient; disabled mailbox; disabled address;
        address disabled; address is disabled; address has been disabled; address is inactive; address inactive;
        address suspended; address deactivated; address is deactivated; address has been deactivated;
        address was deactivated; address has been discontinued; address is no longer active; email disabled;
        email account ... disabled; email account ... suspended; email account ... inactive; domain disabled;
        domain is disabled; domain suspended; domain is suspended; domain expired; domain has been suspended;
        domain ... suspended; subscription expired; subscriber ... suspended; no longer active; is no longer active;
        not an active address; not active; not currently active; out of service; administratively disabled;
        has been archived; deactivated mailbox; compte desactive; compte suspendu; compte ... desactive;
        compte inactif; boite ... desactivee; boite ... suspendue; konto deaktiviert; konto ist deaktiviert;
        postfach deaktiviert; postfach ist deaktiviert; nicht aktiv; inaktiv;
        mailbox deaktiviert; ist deaktiviert; wurde deaktiviert; mailbox ist gesperrt;
        cuenta deshabilitada; cuenta suspendida;
        cuenta desactivada; cuenta inactiva; account disabilitato; casella disabilitata; casella disattivata;
        utente disabilitato; conta suspensa; conta desativada; usuario desativado; konto zablokowane;
        konto nieaktywne; skrzynka zablokowana; аккаунт заблокирован; ящик отключен; пользователь заблокирован;
        已被禁用; 已停用; 被停用; 已冻结; 用户被锁定; 停止されて
        """,
        unless="""
        sender ... account; your account; your email account; your mailbox; smtp access; vrfy; expn; relay connection
        """,
        sample="550 5.2.1 The email account that you tried to reach is disabled.",
    ),
    _status(Reason.MAILBOX_DISABLED, "x.7.13"),
    ReplyRow(name="code:525", reason=Reason.MAILBOX_DISABLED, codes=(525,), sample="525 refused"),
    ReplyRow(name="code:422", reason=Reason.MAILBOX_FULL, codes=(422, 522), sample="422 refused"),
)

DOMAIN_ROWS: tuple[ReplyRow, ...] = (
    row(
        "text:no-route",
        Reason.DOMAIN_NOT_FOUND,
        "unrouteable address; unroutable address",
        codes=(0,),
        sample="Unrouteable address",
    ),
    row(
        "text:lookup-found-nothing",
        Reason.DOMAIN_NOT_FOUND,
        "dns lookup failure host ... not found; responded with code nxdomain; domain name not found",
        unless="try again",
        sample="DNS lookup failure: host nxdomain.example not found",
    ),
    row(
        "text:host-does-not-exist",
        Reason.DOMAIN_NOT_FOUND,
        "xhost does not exist; xhost doesn't exist; xhost not found; xhost is unknown; xhost: unknown host",
        unless="sender; from; helo; ehlo; try again; server xhost; client; xaddr",
        sample="553 mx.example.com does not exist",
    ),
    row(
        "text:null-mx",
        Reason.DOMAIN_NOT_ACCEPTING,
        """
        mail to this domain is not; mail for this domain is not; mail to this domain ... not accepted;
        indicated no smtp service; indicated no mail service; null mx; nullmx; null mx record; does not accept mail;
        does not accept email; does not accept e mail; does not accept any mail; does not receive mail;
        does not receive email; doesn t accept mail; doesn t accept email; doesn t receive email;
        doesn t receive mail; not accept mail; do not accept mail for; do not accept email for; host does not accept;
        host ... does not accept mail; server does not accept mail; system does not accept mail;
        domain does not accept; domain ... does not accept; not accepting network messages; no mail service;
        domain not accepting; no mail accepted for; smtp protocol returned a permanent error;
        1 domain says it does not
        """,
        unless="does not accept mail from; not accept mail from; from your; do not accept mail for this domain",
        sample="556 5.1.10 Recipient address has null MX",
    ),
    row(
        "text:domain-not-found",
        Reason.DOMAIN_NOT_FOUND,
        """
        bad destination system; destination system address; host unknown; unknown host; host not found;
        host is unknown; host ... not found; host does not exist; host doesn t exist; host or domain name not found;
        hostname not found; no such host; no such domain; domain not found; domain name not found; domain not exist;
        domain does not exist; domain doesn t exist; domain ... does not exist; domain unknown; domain is unknown;
        domain not known; domain invalid; domain is invalid; domain is not valid; domain is not reachable;
        domain not reachable; domain has no mx; domain has no valid mx; unknown domain; invalid domain; bad domain;
        invalid recipient domain; invalid host; nonexistent domain; nonexistentdomain; non existent domain;
        non existing domain; code nxdomain; result nxdomain; rcode nxdomain; name or service not known;
        name service error for name ... host not found; no mx or srv; no mx found; no mx record; no mx records;
        no mx for; no mx; no a record; no dns record~; no ip address found for host; no relevant answers;
        no mail hosts; no mail exchanger~; no valid mx; no valid host~; no valid mail exchanger~;
        unrouteable mail domain; unroutable mail domain; unrouteable domain; unroutable domain;
        all relevant mx records point to non existent hosts; mx records point to non existent;
        couldn t find any host named; could not find any host; couldn t find any host by that name;
        couldn t find a mail exchanger; mail server for ... does not exist; does not resolve; cannot resolve;
        could not resolve; couldn t resolve; can t resolve; unable to resolve; remote host not found;
        illegal host domain name found; badly formatted ... domain;
        the domain you attempted to contact does not exist; recipient domain does not exist;
        recipient domain ... not found; mail domain mentioned in email address is unknown; unknown mail server;
        domane ... unbekannt; domane existiert nicht; domaine inconnu; le domaine n existe pas; dominio desconocido;
        dominio no existe; dominio non esiste; dominio inexistente; домен не существует
        """,
        unless="""
        sender ... domain; lookup failure; try again; temporar~; helo; mail domain ... dns; user not found;
        malformed or unexpected; found ... user; no such user
        """,
        sample="550 5.1.2 <user@example.com>... Host unknown",
    ),
    row(
        "text:dns-error",
        Reason.DNS_ERROR,
        """
        name service error; name server ... lookup failure; name server timeout; name server; nameserver ... error;
        nameserver ... failure; lookup failure; lookup failed; lookup timeout; lookup timed out;
        host lookup did not complete; domain lookup failed; temporary failure in name resolution;
        temporary resolution; temporary temporary lookup failure of; dns error; dns failure; dns lookup; dns timeout;
        dns problem; dns query; dns resolution; dns server returned; dns servfail; servfail; cname lookup failed;
        cname failed; host not found try again; domain not found try again; mx lookup; mx record lookup;
        failed to resolve; no answer from dns; resolver error; type mx malformed; a record lookup; dns
        """,
        unless="""
        temporary lookup failure; address lookup failed; user lookup; alias lookup; recipient lookup; ldap;
        nonexistent; code nxdomain; does not exist; database; reverse; table lookup
        """,
        sample="Host or domain name not found. Name service error for name=example.com type=MX: Host not found, try "
        "again",
    ),
)

ENHANCED_ADDRESS_ROWS: tuple[ReplyRow, ...] = (
    _status(
        Reason.BAD_ADDRESS, "5.1.3", classes="5", unless=("user unknown", "unknown user", "not found", "invalid user")
    ),
    _status(Reason.TOO_MANY_RECIPIENTS, "x.5.3"),
)

NOT_FOUND_ROWS: tuple[ReplyRow, ...] = (
    row(
        "text:delivery-program",
        Reason.LOCAL_DELIVERY_FAILED,
        """
        command output; command died; procmail couldn't create; procmail couldn't; procmail lock failure;
        procmail error; procmail unable; x-unix procmail; x-unix temporary failure; x-unix command; maildrop unable;
        maildrop error; text was generated during the delivery attempt pipe to
        """,
        sample='procmail: Couldn\'t create "/var/spool/mail/user" id: mx.example.org: No such user',
    ),
    row(
        "text:bad-address",
        Reason.BAD_ADDRESS,
        """
        bad recipient address syntax; bad address syntax; address syntax; syntax error in recipient;
        syntax error in parameters ... recipient; syntax error in mailbox address; malformed address;
        malformed recipient; malformed local part; illegal address; illegal recipient; illegal character~ in address;
        not a valid rfc 5321 address; not a valid rfc; is not a valid address; invalid address syntax;
        invalid character in ... address; address is not valid syntax; missing or malformed local part;
        missing domain; domain missing; colon expected after route; unqualified; need fully qualified address;
        domain name required; badly formed address; unbalanced; address has invalid; quoted local part
        """,
        unless="""
        sender; helo; ehlo
        """,
        sample="501 Bad recipient address syntax",
    ),
    row(
        "text:not-found",
        Reason.MAILBOX_NOT_FOUND,
        """
        okänd användare; okänd mottagare; ukendt bruger; ukendt modtager; ukjent bruker; ukjent mottaker;
        tuntematon käyttäjä; tuntematon vastaanottaja; neznámý uživatel; neznámý příjemce; uživatel neexistuje;
        xaddr unknown; xaddr is unknown; xaddr not found; xaddr was not found; xaddr not known; xaddr not recognized;
        address not recognized; address is not recognized; recipient ... not recognized;
        לא נמצאה; tidak dapat ditemukan; tidak ditemukan; không tìm thấy; không tồn tại; ไม่พบ; غير موجود;
        adresse ... introuvable; est introuvable; destinataire introuvable;
        konnte nicht gefunden werden; adresse ... nicht gefunden; impossibile trovare; non è stato trovato;
        non trovato; não foi encontrado; não foi encontrada; kunde inte hittas; hittades inte; kunne ikke findes;
        blev ikke fundet; ble ikke funnet; ei löydy; ei löytynyt; bulunamadı; nebyla nalezena; nebyl nalezen;
        neexistuje; nem található; nem létezik; nu a fost găsit; δεν βρέθηκε; niet gevonden; kon niet worden gevonden;
        nie znaleziono; не удалось найти; не знайдено; не існує; 找不到; 찾을 수 없; לא נמצא; لم يتم العثور;
        mevcut değil; user unknown; unknown user; users unknown; unknown users; user not found; user not exist;
        user not exists; user not known; user not local; user not defined; user not registered; user not listed;
        user is unknown; user is not found; user is not known; user is not in; user is not local; user is not valid;
        user does not exist; user doesn t exist; user doesnt exist; user does not exists; user ... does not exist;
        user ... doesn t exist; user ... not found; user ... unknown; user ... not exist; user isn t;
        user nonexistent; user invalid; user is invalid; user doesn t have a; user does not have a; user deleted;
        user has been deleted; user removed; user has been removed; user no longer; user account does not exist;
        user account not found; user account is unknown; user could not be found; user ... no longer;
        user name is unknown; username ... unknown; username not found; username unavailable; userid not found;
        userid unknown; invalid user; invalid userid; invalid username; invalid final delivery userid; no such user;
        no such users; no such username; no such userid; no such recipient; no such recipients; no such mailbox;
        no such address; no such addresses; no such account; no such person; no such local user; no such local;
        no such email; no such e mail; no such mail; no such mail drop; no such domain or user; no such alias;
        no such id; no such name; no such customer; no such subscriber; no such destination; no such virtual user;
        no such; no mailbox; no mailbox here by that name; no mailbox by that name; no mailbox found;
        no mailbox with that name; no account; no account by that name; no account with that address; no user;
        no user here; no user by that name; no valid recipient; no valid recipients; no recipient; no one here;
        no longer valid; no longer exists; no longer exist; no longer available; no longer in use; no longer used;
        no longer works; no longer here; no longer a customer; no longer with; no longer employed;
        no longer an active; does not live here; doesn t live here; not live here; nobody here; not our customer;
        not our user; not a customer; not a user; not a known user; not a valid user; not a valid mailbox;
        not a valid recipient; not a valid address; not a valid email; not a valid account; not a local user;
        not a registered; not an active; not known at this site; not known here; not known to; not registered here;
        not in directory; not in the directory; not in address book; not in our database;
        not listed in domino directory; not listed in public name address book; not listed in; not here;
        not valid here; not exist; not exists; does not exist; does not exists; doesn t exist; doesnt exist;
        don t exist; do not exist; did not exist; didn t exist; isn t here; cannot be found; could not be found;
        can not be found; couldn t be found; can t be found; wasn t found; was not found; address not found;
        address unknown; address is unknown; address is invalid; address invalid; address is not valid;
        address not valid; address is not known; address not known; address not exist; address not listed;
        address error; address no longer; address is no longer; address is not in use;
        address not in use; address is wrong; address is not registered; address not present; address unavailable;
        address verification failed; adressee unknown; addressee unknown; addressee not found;
        address does not exist; unknown address; unknown address error; unknown or illegal alias;
        unknown or illegal user; unknown recipient; unknown recipients; unknown local; unknown local part;
        unknown local user; unknown mailbox; unknown account; unknown email; unknown addressee; unknown destination;
        unknown alias; unknown subscriber; unknown or disabled; unknown name; unknown to us; invalid recipient;
        invalid recipients; invalid recipient address; invalid mailbox; invalid mailbox path; invalid address;
        invalid email; invalid e mail; invalid local; invalid account; invalid destination; invalid receiver;
        invalid name; invalid or unknown; invalid alias; bad recipient; bad address; bad destination mailbox;
        bad destination address; bad mailbox; bad user; bad local; wrong recipient; wrong address; wrong email;
        incorrect recipient; incorrect address; recipient unknown; recipient is unknown; recipient not found;
        recipient not known; recipient not recognized; recipient not exist; recipient not exists; recipient not local;
        recipient not valid; recipient not listed; recipient not ok; recipient invalid; recipient is invalid;
        recipient is not valid; recipient is not local; recipient is not a; recipient is not in;
        recipient is not exist; recipient does not exist; recipient doesn t exist; recipient ... does not exist;
        recipient ... not found; recipient no longer; recipient rejected; recipient address rejected user unknown;
        recipient address unknown; recipient address not found;
        recipient address does not exist; recipient address is unknown; recipient verification failed;
        recipient verify failed; recipient name is not recognized; recipient not allowed; recipient name ... unknown;
        recipient unavailable; recipients rejected; recipients unknown; recipient s email address ... not found;
        mailbox not found; mailbox unavailable; mailbox is unavailable; mailbox unknown; mailbox is unknown;
        mailbox not available; mailbox is not available; mailbox ... unavailable; mailbox not exist;
        mailbox not known; mailbox nonexistent; mailbox does not exist; mailbox doesn t exist;
        mailbox ... does not exist; mailbox name not allowed; mailbox invalid; mailbox is invalid; mailbox removed;
        mailbox deleted; mailbox no longer; mailbox not local; mailbox doesn t; mail box not found;
        mail address not found; email address not found; email address could not be found;
        email address does not exist; email account ... does not exist; email address ... not found; email not found;
        email not exist~; e mail address not found; account not found; account unknown; account does not exist;
        account doesn t exist; account ... does not exist; account not exist; account invalid; account is invalid;
        account no longer; account not available; account not valid; account deleted; account has been deleted;
        account has been removed; account is not valid; account ... not found; account or alias;
        accounts ... not found; alias not found; alias unknown; destination address is unknown; destination unknown;
        destination mailbox; destination not found; delivery to ... not found; unable to find recipient;
        unable to find user; unable to verify user; unable to validate recipient; unable to verify recipient;
        cannot find user; cannot find recipient; can t find user; can t find recipient; could not find user;
        could not find recipient; couldn t find user; unrouteable address; unroutable address; unrouteable;
        undeliverable address; undeliverable to; not deliverable; not able to deliver; no matching directory entry;
        no match~; no local mailbox; local user not found; local recipient not found; local mailbox ... unavailable;
        ambiguous address; ambiguous recipient; mta s poor address; name is ambiguous; name not found;
        person not found; requested action not taken mailbox; requested mail action aborted mailbox;
        not in our list of; check the email address; check the recipient address; check recipient;
        email address is wrong; you may have mistyped; misspelled; mistyped; address you sent to ... not exist;
        that user does not have a final email delivery point; utilisateur inconnu; utilisateur n existe pas;
        utilisateur ... inconnu; destinataire inconnu; destinataire invalide; destinataire n existe pas;
        destinataire ... inconnu; adresse inconnue; adresse invalide; adresse destinataire invalide;
        adresse ... invalide; adresse n existe pas; adresse ... n existe pas; compte inconnu; compte inexistant;
        compte n existe pas; boite inconnue; boite aux lettres inexistante; n existe pas; empfanger unbekannt;
        empfaenger unbekannt; empfanger existiert nicht; empfanger nicht gefunden; empfanger ... unbekannt;
        empfanger ungultig; unbekannter empfanger; unbekannter empfaenger; unbekannter benutzer; benutzer unbekannt;
        benutzer existiert nicht; benutzer ... nicht gefunden; adresse unbekannt; adresse existiert nicht;
        adresse ... existiert nicht; adresse nicht gefunden; adresse ist ungultig; postfach existiert nicht;
        postfach ... existiert nicht; postfach nicht gefunden; postfach unbekannt; existiert nicht; kein solcher;
        kein postfach; teilnehmer unbekannt; nessun utente; nessun utente simile; utente sconosciuto;
        utente inesistente; utente non trovato; utente non esiste; utente non presente; destinatario sconosciuto;
        destinatario inesistente; destinatario non trovato; indirizzo inesistente; indirizzo sconosciuto;
        indirizzo non valido; indirizzo non esiste; casella inesistente; casella non esiste; casella ... inesistente;
        non esiste; no existe; no existe dicha persona; usuario desconocido; usuario inexistente; usuario no existe;
        usuario no encontrado; usuario invalido; destinatario desconocido; destinatario no existe;
        destinatario invalido; direccion desconocida; direccion no existe; direccion invalida; cuenta no existe;
        cuenta inexistente; cuenta ... no existe; buzon no existe; buzon inexistente; buzon ... no existe;
        casilla inexistente; casilla no existe; no se encontro; usuario desconhecido; usuario nao existe;
        usuario nao encontrado; destinatario desconhecido; destinatario inexistente nao; endereco desconhecido;
        endereco invalido; endereco nao existe; conta inexistente; conta nao existe; caixa postal inexistente;
        nao existe; nao encontrado; gebruiker onbekend; gebruiker bestaat niet; onbekende gebruiker;
        onbekende ontvanger; ontvanger onbekend; adres onbekend; adres bestaat niet; mailbox bestaat niet;
        bestaat niet; nieznany uzytkownik; uzytkownik nieznany; uzytkownik nie istnieje; nieznany odbiorca;
        odbiorca nieznany; konto nie istnieje; adres nie istnieje; skrzynka nie istnieje; nie istnieje;
        nie ma takiego; пользователь не найден; пользователь не существует; пользователя не существует;
        нет такого пользователя; такого пользователя нет; неизвестный пользователь; неизвестный получатель;
        получатель не найден; получатель не существует; ящик не существует; ящик не найден; адрес не существует;
        адресат не найден; не существует; не найден; 用户不存在; 用戶不存在; 使用者不存在; 收件人不存在; 帐号不存在;
        账号不存在; 帳號不存在; 邮箱不存在; 郵箱不存在; 信箱不存在; 地址不存在; 不存在; 查无此人; 查無此人; 無此帳號;
        没有此用户; 无效的收件人; 見つかりません; 見つかりませんでした; 存在しません; 存在しない; 宛先不明;
        あて先不明; 宛先が見つかりません; 該当するユーザ; ユーザーが存在; 사용자가 없; 존재하지 않;
        수신자를 찾을 수 없
        """,
        unless="""
        domain does not exist; domain doesn t exist; sender ... does not exist; message does not exist;
        file does not exist; no such file; no such process; table not found; map not found; class not found;
        command not found; temporarily rejected; recipient address rejected access denied;
        recipient address rejected policy; recipient address rejected message;
        recipient address rejected mailer error; recipient address rejected on hold;
        recipient address rejected system; recipient address rejected spf; recipient address rejected client;
        recipient address rejected service; recipient address rejected temporar~;
        recipient address rejected try again; recipient address rejected 4; mailbox unavailable ... content;
        invalid mailbox path procmail
        """,
        sample="550 5.1.1 <user@example.com>: Recipient address rejected: User unknown in virtual mailbox table",
    ),
)
