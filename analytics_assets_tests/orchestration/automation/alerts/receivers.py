"""Receivers of alerts on this machine: a webhook, and a mail server."""

import json
import socket
from email import message_from_bytes
from email.message import Message
from email.policy import default
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from analytics_assets_tests.support.http.exchange import Answer, Request
from analytics_assets_tests.support.http.server import Server

TOKEN = "aXd83kfPq0Zt7"  # a part of the URLs of receivers
PASSWORD = "hunter2-Oslo"


class Webhook(Server):
    """Takes messages as JSON, as `json://` of Apprise and Slack send them."""

    def __init__(self) -> None:
        super().__init__(self._take)
        self.status = 200
        self.refuses = ""  # the title of a message that it never takes
        self.taken: list[dict[str, Any]] = []

    @property
    def receiver(self) -> str:
        """The URL for Apprise, with a token in its path."""
        return f"json://127.0.0.1:{self.port}/hooks/{TOKEN}"

    @property
    def titles(self) -> list[str]:
        """The titles of the messages so far."""
        return [message["title"] for message in self.taken]

    def _take(self, request: Request) -> Answer:
        message = json.loads(request.content)
        if message["title"] == self.refuses:
            return Answer(b"no", 400, {})
        if self.status == 200:
            self.taken.append(message)
        return Answer(b"ok", self.status, {})


class MailServer:
    """Takes mails."""

    def __init__(self) -> None:
        self.mails: list[Message] = []
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)

    @property
    def receiver(self) -> str:
        """The URL for Apprise."""
        return (
            f"mailto://127.0.0.1:{self.port}?from=dagster@example.com&to=team@example.com"
            f"&mode=insecure&x={TOKEN}"
        )

    @property
    def subjects(self) -> list[str]:
        """The subjects of the mails so far."""
        return [str(mail["subject"]) for mail in self.mails]

    def part(self, kind: str) -> str:
        """Return a part of the last mail, such as `html`."""
        for part in self.mails[-1].walk():
            if part.get_content_subtype() == kind:
                return str(part.get_payload(decode=True), "utf-8")  # type: ignore[arg-type]
        raise AssertionError(f"the mail has no {kind}")

    async def handle_DATA(  # noqa: N802  # aiosmtpd names it
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """Keep a mail; called by aiosmtpd."""
        self.mails.append(message_from_bytes(envelope.content, policy=default))  # type: ignore
        return "250 OK"

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()
