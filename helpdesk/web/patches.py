"""Every name of Daphne, and of Twisted and Autobahn below it, that is replaced, subclassed or reached into."""

from __future__ import annotations

from helpdesk.private_names import Library, PrivateName, at

DAPHNE = Library(
    name="Daphne",
    distributions=("daphne",),
    tested=("4.2",),
    names=(
        *at(
            "daphne.http_protocol",
            ("WebRequest", "args kwargs"),
            ("WebRequest.basic_error", "status status_text body"),
            ("WebRequest.handle_reply", "message"),
            where="requests.py",
            why="bodies are left to the views and bounded; what Daphne refuses itself has the API's error body",
            missing="a large body fills the disk before any view sees it",
            source="https://github.com/django/daphne/issues/483",
        ),
        *at(
            "daphne.ws_protocol",
            ("WebSocketFactory.protocol", ""),
            ("WebSocketProtocol.onConnect", "request"),
            ("WebSocketProtocol.onOpen", ""),
            ("WebSocketProtocol.onMessage", "payload isBinary"),
            ("WebSocketProtocol.serverSend", "content binary"),
            where="socket_bounds.py",
            why="a client that does not read, or sends without end, is closed",
            missing="one socket makes the web process hold as much memory as it likes",
            source="https://github.com/django/daphne/issues/170",
        ),
        PrivateName(
            module="daphne.ws_protocol",
            name="WebSocketProtocol",
            attributes=("application_queue", "transport", "state"),
            where="socket_bounds.py",
            why="frames that wait to be handled are counted",
            missing="an AttributeError closes each socket at its first frame",
        ),
    ),
)

TWISTED = Library(
    name="Twisted",
    distributions=("twisted",),
    tested=("26.10",),
    names=(
        *at(
            "twisted.web.http",
            ("HTTPChannel._respondToBadRequestAndDisconnect", "self"),
            ("Request", "channel parsePOSTFormSubmission"),
            ("Request.handleContentChunk", "data"),
            where="requests.py",
            why="forms are not read on the event loop, bodies are bounded, what is no HTTP is answered in the API's words",
            missing="each request fails, or uploads are parsed on the event loop, which stops every socket meanwhile",
        ),
    ),
)

AUTOBAHN = Library(
    name="Autobahn",
    distributions=("autobahn",),
    tested=("26.10",),
    names=(
        PrivateName(
            module="autobahn.websocket.protocol",
            name="WebSocketProtocol",
            attributes=("failByDrop", "maxFramePayloadSize", "maxMessagePayloadSize", "STATE_CLOSING", "STATE_CLOSED"),
            where="socket_bounds.py",
            why="frames above the limit are refused by their head, and clients told why",
            missing="a frame may be as large as memory",
        ),
    ),
)

LIBRARIES = (DAPHNE, TWISTED, AUTOBAHN)
