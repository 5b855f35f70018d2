"""Every name of kombu, Celery's transport, that is replaced, subclassed or reached into."""

from __future__ import annotations

from helpdesk.private_names import Library, PrivateName, at

REDIS = "kombu.transport.redis"

KOMBU = Library(
    name="kombu",
    distributions=("kombu",),
    tested=("5.7.0",),
    names=(
        *at(
            REDIS,
            ("Channel.QoS", ""),
            ("QoS.restore_unacked", "client"),
            ("QoS.ack", "delivery_tag"),
            where="broker.py",
            why="a worker whose tasks are acknowledged at their end survives the loss of its connection",
            missing="the worker ends with all replies in progress when Valkey goes away",
        ),
        *at(
            REDIS,
            ("Transport.Channel", ""),
            ("Channel._brpop_start", "timeout"),
            where="broker.py",
            why="a worker reserves slots for the first priority steps",
            missing="one company's over-share replies take all slots of a worker, silently",
        ),
        PrivateName(
            module=REDIS,
            name="Channel",
            attributes=("priority_steps", "qos", "_brpop_start"),
            where="broker.py",
            why="the lists are chosen anew for every BRPOP",
            missing="one company's over-share replies take all slots of a worker, silently",
        ),
        PrivateName(
            module=REDIS,
            name="QoS",
            attributes=("_delivered", "_dirty", "prefetch_count"),
            where="broker.py",
            why="how many slots are taken: messages delivered and not acknowledged",
            missing="an AttributeError ends the worker at its first look for tasks",
        ),
        *at(
            REDIS,
            ("Channel.sep", ""),
            ("Channel._q_for_pri", "queue pri"),
            where="lengths.py",
            why="the name of a priority step's list, and the JSON of a waiting task in it",
            missing="the queue seems empty: waits are shown too short, and queued replies are sent again as lost",
        ),
    ),
)
