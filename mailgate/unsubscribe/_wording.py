"""What the page says, in several languages, and which of them a browser asks for (RFC 9110 12.5.4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

_MAX_HEADER_CHARACTERS = 512
_MAX_CHOICES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """The texts of one language; `{list}` and `{address}` are replaced where they stand.

    language: a BCP 47 tag, `pt-BR`. right_to_left: the direction of the script.
    this_mail: what stands for `{list}` when the stream has no name for people. question_anonymous: the question when
    no address may be shown. The texts are plain text; they are escaped when the page is written.
    """

    language: str
    title: str
    question: str
    question_anonymous: str
    button: str
    this_mail: str
    done_title: str
    done: str
    not_found_title: str
    not_found: str
    bad_request_title: str
    bad_request: str
    unavailable_title: str
    unavailable: str
    right_to_left: bool = False


ENGLISH = Wording(
    language="en",
    title="Unsubscribe",
    question="Stop sending {list} to {address}?",
    question_anonymous="Stop sending {list}?",
    button="Unsubscribe",
    this_mail="this kind of mail",
    done_title="You are unsubscribed",
    done="You will not receive {list} any more. You can close this page.",
    not_found_title="This link does not work",
    not_found=(
        "It may have been cut off. Please open the link in the mail again, or answer the mail and ask to be removed."
    ),
    bad_request_title="That did not work",
    bad_request="Please open the link in the mail again and press the button.",
    unavailable_title="Please try again in a few minutes",
    unavailable="Your request could not be stored just now, so you are still subscribed.",
)

GERMAN = Wording(
    language="de",
    title="Abmelden",
    question="Sollen wir {address} von {list} abmelden?",
    question_anonymous="Möchten Sie sich von {list} abmelden?",
    button="Abmelden",
    this_mail="dieser Art von E-Mails",
    done_title="Sie sind abgemeldet",
    done="Von {list} sind Sie nun abgemeldet. Sie können diese Seite schließen.",
    not_found_title="Dieser Link funktioniert nicht",
    not_found=(
        "Vielleicht wurde er abgeschnitten. Bitte öffnen Sie den Link in der E-Mail noch einmal, oder "
        "antworten Sie auf die E-Mail und bitten Sie um Abmeldung."
    ),
    bad_request_title="Das hat nicht geklappt",
    bad_request="Bitte öffnen Sie den Link in der E-Mail noch einmal und drücken Sie den Knopf.",
    unavailable_title="Bitte versuchen Sie es in einigen Minuten noch einmal",
    unavailable="Ihr Wunsch konnte gerade nicht gespeichert werden; Sie sind noch angemeldet.",
)

FRENCH = Wording(
    language="fr",
    title="Se désabonner",
    question="Ne plus envoyer {list} à {address} ?",
    question_anonymous="Ne plus recevoir {list} ?",
    button="Se désabonner",
    this_mail="ce type d’e-mails",
    done_title="Vous êtes désabonné",
    done="Vous ne recevrez plus {list}. Vous pouvez fermer cette page.",
    not_found_title="Ce lien ne fonctionne pas",
    not_found=(
        "Il a peut-être été coupé. Ouvrez à nouveau le lien de l’e-mail, ou répondez à l’e-mail pour "
        "demander votre désabonnement."
    ),
    bad_request_title="Cela n’a pas fonctionné",
    bad_request="Ouvrez à nouveau le lien de l’e-mail et appuyez sur le bouton.",
    unavailable_title="Veuillez réessayer dans quelques minutes",
    unavailable="Votre demande n’a pas pu être enregistrée ; vous êtes toujours abonné.",
)

SPANISH = Wording(
    language="es",
    title="Darse de baja",
    question="¿Dejar de enviar {list} a {address}?",
    question_anonymous="¿Dejar de recibir {list}?",
    button="Darse de baja",
    this_mail="este tipo de correos",
    done_title="Se ha dado de baja",
    done="Ya no recibirá {list}. Puede cerrar esta página.",
    not_found_title="Este enlace no funciona",
    not_found=("Puede que esté incompleto. Abra de nuevo el enlace del correo, o responda al correo y pida la baja."),
    bad_request_title="No ha funcionado",
    bad_request="Abra de nuevo el enlace del correo y pulse el botón.",
    unavailable_title="Vuelva a intentarlo dentro de unos minutos",
    unavailable="No se ha podido guardar su petición; todavía está suscrito.",
)

ITALIAN = Wording(
    language="it",
    title="Annulla l’iscrizione",
    question="Non inviare più {list} a {address}?",
    question_anonymous="Non ricevere più {list}?",
    button="Annulla l’iscrizione",
    this_mail="questo tipo di e-mail",
    done_title="Iscrizione annullata",
    done="Non riceverà più {list}. Può chiudere questa pagina.",
    not_found_title="Questo link non funziona",
    not_found=(
        "Forse è stato troncato. Apra di nuovo il link nell’e-mail, oppure risponda all’e-mail e chieda la "
        "cancellazione."
    ),
    bad_request_title="Non ha funzionato",
    bad_request="Apra di nuovo il link nell’e-mail e prema il pulsante.",
    unavailable_title="Riprovi tra qualche minuto",
    unavailable="Non è stato possibile salvare la richiesta; è ancora iscritto.",
)

DUTCH = Wording(
    language="nl",
    title="Afmelden",
    question="Geen {list} meer sturen naar {address}?",
    question_anonymous="Geen {list} meer ontvangen?",
    button="Afmelden",
    this_mail="e-mails van deze soort",
    done_title="U bent afgemeld",
    done="U ontvangt geen {list} meer. U kunt deze pagina sluiten.",
    not_found_title="Deze link werkt niet",
    not_found=(
        "Misschien is hij afgekapt. Open de link in de e-mail opnieuw, of beantwoord de e-mail en vraag om afmelding."
    ),
    bad_request_title="Dat is niet gelukt",
    bad_request="Open de link in de e-mail opnieuw en druk op de knop.",
    unavailable_title="Probeer het over enkele minuten opnieuw",
    unavailable="Uw verzoek kon niet worden opgeslagen; u bent nog aangemeld.",
)

PORTUGUESE = Wording(
    language="pt",
    title="Cancelar a inscrição",
    question="Deixar de enviar {list} para {address}?",
    question_anonymous="Deixar de receber {list}?",
    button="Cancelar a inscrição",
    this_mail="este tipo de e-mail",
    done_title="Inscrição cancelada",
    done="Não receberá mais {list}. Pode fechar esta página.",
    not_found_title="Este link não funciona",
    not_found=(
        "Talvez esteja incompleto. Abra novamente o link do e-mail, ou responda ao e-mail e peça o cancelamento."
    ),
    bad_request_title="Não funcionou",
    bad_request="Abra novamente o link do e-mail e prima o botão.",
    unavailable_title="Tente novamente dentro de alguns minutos",
    unavailable="Não foi possível guardar o seu pedido; a inscrição continua ativa.",
)

POLISH = Wording(
    language="pl",
    title="Wypisz się",
    question="Nie wysyłać więcej na {address}: {list}?",
    question_anonymous="Nie wysyłać więcej: {list}?",
    button="Wypisz się",
    this_mail="wiadomości tego rodzaju",
    done_title="Wypisano z listy",
    done="Nie będziemy więcej wysyłać: {list}. Możesz zamknąć tę stronę.",
    not_found_title="Ten odnośnik nie działa",
    not_found=("Mógł zostać ucięty. Otwórz ponownie odnośnik z wiadomości albo odpowiedz na nią z prośbą o wypisanie."),
    bad_request_title="Nie udało się",
    bad_request="Otwórz ponownie odnośnik z wiadomości i naciśnij przycisk.",
    unavailable_title="Spróbuj ponownie za kilka minut",
    unavailable="Nie udało się zapisać prośby; nadal jesteś na liście.",
)

WORDINGS: Mapping[str, Wording] = MappingProxyType(
    {wording.language: wording for wording in (ENGLISH, GERMAN, FRENCH, SPANISH, ITALIAN, DUTCH, PORTUGUESE, POLISH)}
)


def choose_wording(accept_language: str, wordings: Mapping[str, Wording], default: str) -> Wording:
    """The wording that the browser likes best, else the default one (RFC 9110 12.5.4, RFC 4647 3.4).

    >>> choose_wording("da, fr-CH;q=0.9, en;q=0.8", WORDINGS, "en").language
    'fr'
    """
    known = {tag.lower(): wording for tag, wording in wordings.items()}
    for tag in _preferred(accept_language):
        while tag:
            if tag in known:
                return known[tag]
            tag = tag.rpartition("-")[0]
    return wordings[default]


def _preferred(accept_language: str) -> list[str]:
    choices: list[tuple[float, str]] = []
    for item in accept_language[:_MAX_HEADER_CHARACTERS].split(",")[:_MAX_CHOICES]:
        tag, _, parameter = item.partition(";")
        weight = _weight(parameter)
        if weight > 0:
            choices.append((weight, tag.strip().lower()))
    return [tag for _, tag in sorted(choices, key=lambda choice: -choice[0])]


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name.strip().lower() != "q":
        return 1.0
    try:
        weight = float(value)
    except ValueError:
        return 0.0
    return weight if 0.0 <= weight <= 1.0 else 0.0
