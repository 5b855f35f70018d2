"""The one statement that counts a stretch of time: every event with its conversation and name, added up by selection.

Names are those of `reports.names`; docs/reports.md says what each means. Events that last have seconds, and are named by
their bucket in the end.
"""

from __future__ import annotations

_WHAT_WAS_SAID = """
    said AS MATERIALIZED (
        SELECT id, conversation_id, position, author, outcome, user_id, created_at,
            CASE WHEN author = 'system' AND body IN ('closed', 'solved', 'closed_by_rule') THEN body ELSE '' END AS closes
        FROM conversations_message
        WHERE tenant_id = %(tenant)s AND created_at >= %(since)s AND created_at < %(until)s
    ),
    begun AS MATERIALIZED (
        SELECT id, created_at FROM conversations_conversation
        WHERE tenant_id = %(tenant)s AND created_at >= %(since)s AND created_at < %(until)s
        AND (message_count > 0 OR deleted_at IS NOT NULL)
    ),
    replied AS (
        SELECT DISTINCT ON (conversation_id) conversation_id, position, created_at
        FROM said WHERE author IN ('ai', 'person') ORDER BY conversation_id, position
    ),
    first_replies AS (
        SELECT conversation_id, created_at FROM replied
        WHERE NOT EXISTS (
            SELECT 1 FROM conversations_message AS earlier WHERE earlier.tenant_id = %(tenant)s
            AND earlier.conversation_id = replied.conversation_id AND earlier.position < replied.position
            AND earlier.author IN ('ai', 'person')
        )
    ),
    answered_by AS (
        SELECT begun.id AS conversation_id, bool_or(by.author = 'ai' AND by.outcome = 'answered') AS ai,
            bool_or(by.author = 'person') AS person
        FROM begun JOIN conversations_message AS by ON by.tenant_id = %(tenant)s AND by.conversation_id = begun.id
        WHERE by.created_at < begun.created_at + %(settled)s GROUP BY begun.id
    ),
    waits AS (
        SELECT conversation_id, reason, "end", taken_by_id, began_at, ended_at FROM conversations_handoff
        WHERE tenant_id = %(tenant)s AND ended_at >= %(since)s AND ended_at < %(until)s
    )
"""

# An answer is left standing when nobody said anything in the time behind it, no person was waited for or closed the
# conversation, and the customer did not say that it was no help.
_HOW_IT_ENDED = """
    closings AS MATERIALIZED (
        SELECT DISTINCT ON (conversation_id) conversation_id, position, created_at, user_id, closes
        FROM said WHERE closes <> '' ORDER BY conversation_id, position DESC
    ),
    closed AS MATERIALIZED (
        SELECT closings.*, last.id AS last_id, last.position AS last_position, last.author AS last_author,
            last.outcome AS last_outcome, last.created_at AS last_at
        FROM closings LEFT JOIN LATERAL (
            SELECT * FROM conversations_message AS spoken WHERE spoken.tenant_id = %(tenant)s
            AND spoken.conversation_id = closings.conversation_id AND spoken.position < closings.position
            AND spoken.author <> 'system' ORDER BY spoken.position DESC LIMIT 1
        ) AS last ON true
    ),
    answers AS (
        SELECT id, conversation_id, position, created_at FROM said
        WHERE author = 'ai' AND outcome = 'answered' AND created_at + %(quiet)s <= %(now)s
        UNION SELECT last_id, conversation_id, last_position, last_at FROM closed
        WHERE last_author = 'ai' AND last_outcome = 'answered' AND last_at + %(quiet)s <= created_at
    ),
    left_standing AS MATERIALIZED (
        SELECT id, conversation_id, created_at, coalesce(given.rating, '') AS rating FROM answers
        LEFT JOIN LATERAL (
            SELECT feedback.rating FROM conversations_reply AS reply
            JOIN conversations_feedback AS feedback ON feedback.reply_id = reply.id
            WHERE reply.tenant_id = %(tenant)s AND reply.answer_id = answers.id AND feedback.given_by = 'customer'
        ) AS given ON true
        WHERE coalesce(given.rating, '') <> 'down'
        AND NOT EXISTS (
            SELECT 1 FROM conversations_message AS later WHERE later.tenant_id = %(tenant)s
            AND later.conversation_id = answers.conversation_id AND later.position > answers.position
            AND (later.author <> 'system' OR later.body IN ('closed', 'solved', 'closed_by_rule'))
            AND later.created_at < answers.created_at + %(quiet)s
        )
        AND NOT EXISTS (
            SELECT 1 FROM conversations_handoff AS wait WHERE wait.tenant_id = %(tenant)s
            AND wait.conversation_id = answers.conversation_id AND wait.began_at < answers.created_at + %(quiet)s
            AND (wait.ended_at IS NULL OR wait.ended_at > answers.created_at)
        )
    ),
    resolved_by_closing AS (
        SELECT conversation_id, created_at AS at, user_id,
            CASE WHEN closes = 'solved' OR user_id IS NOT NULL THEN 'confirmed' ELSE 'assumed' END AS how
        FROM closed WHERE NOT EXISTS (
            SELECT 1 FROM left_standing WHERE left_standing.id = closed.last_id
        )
        AND (user_id IS NOT NULL OR closes <> 'closed' OR last_author = 'person' OR last_outcome = 'answered')
    ),
    resolved AS (
        SELECT conversation_id, at, how FROM resolved_by_closing
        UNION ALL
        SELECT conversation_id, created_at, CASE rating WHEN 'up' THEN 'confirmed' ELSE 'assumed' END
        FROM left_standing WHERE created_at >= %(since)s
    )
"""

_EVENTS = """
    SELECT id AS conversation_id, 'conversations' AS name, NULL::interval AS lasted FROM begun
    UNION ALL SELECT conversation_id, 'messages:' || author, NULL FROM said WHERE author <> 'system'
    UNION ALL SELECT conversation_id, 'hour:' || extract(hour FROM created_at AT TIME ZONE %(zone)s), NULL
        FROM said WHERE author = 'customer'
    UNION ALL SELECT conversation_id, 'answers:' || outcome, NULL FROM said WHERE author = 'ai' AND outcome <> ''
    UNION ALL SELECT first_replies.conversation_id, 'first_reply:', first_replies.created_at - began.created_at
        FROM first_replies JOIN conversations_conversation AS began ON began.id = first_replies.conversation_id
    UNION ALL SELECT conversation_id, 'resolved:' || how, NULL FROM resolved
    UNION ALL SELECT resolved.conversation_id, 'resolution:', resolved.at - began.created_at
        FROM resolved JOIN conversations_conversation AS began ON began.id = resolved.conversation_id
    UNION ALL SELECT conversation_id,
        'answered_by:' || CASE WHEN ai AND person THEN 'mixed' WHEN ai THEN 'ai' ELSE 'person' END, NULL
        FROM answered_by WHERE ai OR person
    UNION ALL SELECT conversation_id, 'hand_offs:' || reason, NULL FROM conversations_handoff
        WHERE tenant_id = %(tenant)s AND began_at >= %(since)s AND began_at < %(until)s
    UNION ALL SELECT conversation_id, 'hand_off_ends:' || "end", NULL FROM waits
    UNION ALL SELECT conversation_id, 'abandoned:' || reason, NULL FROM waits WHERE "end" IN ('cancelled', 'closed')
    UNION ALL SELECT conversation_id, 'wait:', ended_at - began_at FROM waits WHERE "end" = 'taken'
    UNION ALL SELECT reply.conversation_id, 'ratings:' || given.rating, NULL
        FROM conversations_feedback AS given JOIN conversations_reply AS reply ON reply.id = given.reply_id
        WHERE given.tenant_id = %(tenant)s AND given.given_by = 'customer'
        AND given.created_at >= %(since)s AND given.created_at < %(until)s
    UNION ALL SELECT conversation_id, 'agent:' || user_id || ':replies', NULL
        FROM said WHERE author = 'person' AND user_id IS NOT NULL
    UNION ALL SELECT DISTINCT conversation_id, 'agent:' || user_id || ':conversations', NULL::interval
        FROM said WHERE author = 'person' AND user_id IS NOT NULL
    UNION ALL SELECT conversation_id, 'agent:' || user_id || ':resolved', NULL
        FROM resolved_by_closing WHERE user_id IS NOT NULL
    UNION ALL SELECT conversation_id, 'agent:' || taken_by_id || ':taken', NULL
        FROM waits WHERE "end" = 'taken' AND taken_by_id IS NOT NULL
"""

# One row for each channel, language and label, for each two of them, and for all: `label` is none for all conversations.
_BY_SELECTION = """
    events AS (
        SELECT conversation_id, name, extract(epoch FROM lasted)::float8 AS seconds FROM single
    ),
    named AS (
        SELECT conversation_id, CASE
            WHEN seconds IS NULL THEN name
            WHEN seconds < 1 THEN name || 0
            ELSE name || LEAST(1 + floor(ln(seconds) / ln(%(growth)s::float8))::int, %(last_bucket)s) END AS name
        FROM events
    ),
    placed AS (
        SELECT conversation.id, conversation.channel, conversation.language, named.name, count(*) AS number
        FROM named JOIN conversations_conversation AS conversation ON conversation.id = named.conversation_id
        WHERE conversation.channel = ANY(%(channels)s) GROUP BY conversation.id, named.name
    ),
    labelled AS (
        SELECT NULL::uuid AS label_id, channel, language, name, number FROM placed
        UNION ALL
        SELECT labelling.label_id, placed.channel, placed.language, placed.name, placed.number
        FROM placed JOIN conversations_labelling AS labelling
            ON labelling.tenant_id = %(tenant)s AND labelling.conversation_id = placed.id
    )
    SELECT label_id, coalesce(channel, ''), coalesce(language, ''), name, sum(number)::bigint
    FROM labelled GROUP BY label_id, name, CUBE (channel, language)
"""

COUNT = "".join(("WITH", _WHAT_WAS_SAID, ",", _HOW_IT_ENDED, ", single AS (", _EVENTS, "),", _BY_SELECTION))
