-- The journal. Conventions:
--   times       INTEGER microseconds since 1970-01-01 UTC (exact, sortable)
--   money       INTEGER cents of the account's currency, columns end in _cents
--   prices,
--   quantities  TEXT decimals exactly as the value types hold them; never REAL
--   lists       TEXT JSON
-- ids are AUTOINCREMENT so that an id on an old button can never come to mean something else.

PRAGMA application_id = 1413566533; -- 'TAPE': tells a journal from any other database

CREATE TABLE schema_migrations (
    version     INTEGER PRIMARY KEY,
    name        TEXT    NOT NULL,
    applied_at  INTEGER NOT NULL
);

CREATE TABLE environment (
    id          INTEGER PRIMARY KEY CHECK (id = 1),
    name        TEXT    NOT NULL CHECK (name <> ''),
    created_at  INTEGER NOT NULL
);

CREATE TRIGGER environment_is_immutable BEFORE UPDATE ON environment
BEGIN SELECT RAISE(ABORT, 'the environment of a journal never changes'); END;

CREATE TRIGGER environment_stays BEFORE DELETE ON environment
BEGIN SELECT RAISE(ABORT, 'the environment of a journal never changes'); END;

CREATE TABLE users (
    user_id     INTEGER PRIMARY KEY,
    role        TEXT    NOT NULL CHECK (role IN ('owner', 'trader', 'viewer')),
    name        TEXT    NOT NULL,
    subscribed  INTEGER NOT NULL CHECK (subscribed IN (0, 1)),
    added_at    INTEGER NOT NULL
);

CREATE TABLE settings (
    name        TEXT    PRIMARY KEY,
    value       TEXT    NOT NULL,
    updated_at  INTEGER NOT NULL
);

CREATE TABLE signals (
    id                 INTEGER PRIMARY KEY AUTOINCREMENT,
    key                TEXT    NOT NULL UNIQUE,
    kind               TEXT    NOT NULL CHECK (kind IN ('strategy', 'analysis', 'practice')),
    strategy           TEXT    NOT NULL,
    instrument         TEXT    NOT NULL,
    timeframe          TEXT    NOT NULL,
    side               TEXT    NOT NULL CHECK (side IN ('buy', 'sell')),
    entry              TEXT    NOT NULL,
    entry_origin       TEXT    NOT NULL,
    stop               TEXT    NOT NULL,
    stop_origin        TEXT    NOT NULL,
    targets            TEXT    NOT NULL, -- JSON [[price, origin], ...]
    quantity           TEXT    NOT NULL,
    risk_cents         INTEGER NOT NULL,
    risk_asked_cents   INTEGER NOT NULL,
    confidence         REAL    NOT NULL,
    reasons            TEXT    NOT NULL, -- JSON [text, ...]
    warnings           TEXT    NOT NULL, -- JSON [text, ...]
    drift_limit        TEXT    NOT NULL,
    created_at         INTEGER NOT NULL,
    created_market_at  INTEGER NOT NULL,
    expires_at         INTEGER NOT NULL,
    replaces           INTEGER REFERENCES signals (id),
    state              TEXT    NOT NULL CHECK (state IN (
        'open', 'executing', 'executed', 'dismissed', 'expired', 'drifted', 'rejected', 'unknown')),
    rev                INTEGER NOT NULL CHECK (rev >= 1),
    state_reason       TEXT,
    acted_by           INTEGER,
    acted_at           INTEGER
);

CREATE INDEX signals_by_state ON signals (state);

-- Every tap on Execute, won or lost. No foreign key: a tap can name a signal that never was.
CREATE TABLE taps (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    signal_id  INTEGER NOT NULL,
    rev        INTEGER NOT NULL,
    user_id    INTEGER NOT NULL,
    at         INTEGER NOT NULL,
    won        INTEGER NOT NULL CHECK (won IN (0, 1))
);

CREATE INDEX taps_by_signal ON taps (signal_id);

CREATE TABLE cards (
    signal_id   INTEGER NOT NULL REFERENCES signals (id),
    chat_id     INTEGER NOT NULL,
    message_id  INTEGER NOT NULL,
    has_photo   INTEGER NOT NULL CHECK (has_photo IN (0, 1)),
    PRIMARY KEY (signal_id, chat_id)
);

CREATE TABLE order_intents (
    id                 TEXT    PRIMARY KEY,
    leg                TEXT    NOT NULL CHECK (leg IN ('entry', 'close')),
    signal_id          INTEGER NOT NULL REFERENCES signals (id),
    position_id        INTEGER REFERENCES positions (id),
    instrument         TEXT    NOT NULL,
    side               TEXT    NOT NULL CHECK (side IN ('buy', 'sell')),
    quantity           TEXT    NOT NULL,
    stop               TEXT,
    target             TEXT,
    reference          TEXT    NOT NULL,
    created_at         INTEGER NOT NULL,
    created_market_at  INTEGER NOT NULL,
    state              TEXT    NOT NULL CHECK (state IN (
        'committed', 'filled', 'rejected', 'unknown', 'absent')),
    CHECK (leg = 'close' OR stop IS NOT NULL),
    CHECK (leg = 'entry' OR position_id IS NOT NULL)
);

CREATE INDEX order_intents_by_state ON order_intents (state);
CREATE INDEX order_intents_by_signal ON order_intents (signal_id);

-- The last line of defence of "one entry per signal": an entry that may live blocks the next one.
-- On insert only: a late fill of an earlier attempt must still be recordable.
CREATE TRIGGER one_living_entry_per_signal BEFORE INSERT ON order_intents
WHEN NEW.leg = 'entry' AND EXISTS (
    SELECT 1 FROM order_intents
    WHERE signal_id = NEW.signal_id AND leg = 'entry'
      AND state IN ('committed', 'unknown', 'filled'))
BEGIN SELECT RAISE(ABORT, 'this signal already has an entry that is or may be at the venue'); END;

-- What the venue answered to an intent.
CREATE TABLE orders (
    intent_id       TEXT    PRIMARY KEY REFERENCES order_intents (id),
    venue_order_id  TEXT,
    state           TEXT    NOT NULL CHECK (state IN ('filled', 'rejected', 'unknown', 'absent')),
    code            TEXT,
    text            TEXT,
    answered_at     INTEGER NOT NULL
);

CREATE TABLE positions (
    id                 INTEGER PRIMARY KEY AUTOINCREMENT,
    signal_id          INTEGER NOT NULL REFERENCES signals (id),
    intent_id          TEXT    NOT NULL UNIQUE REFERENCES order_intents (id),
    venue_position_id  TEXT    NOT NULL,
    instrument         TEXT    NOT NULL,
    side               TEXT    NOT NULL CHECK (side IN ('buy', 'sell')),
    quantity           TEXT    NOT NULL,
    entry              TEXT    NOT NULL,
    stop               TEXT    NOT NULL,
    stop_initial       TEXT    NOT NULL,
    target             TEXT,
    risk_cents         INTEGER NOT NULL,
    opened_at          INTEGER NOT NULL,
    opened_market_at   INTEGER NOT NULL,
    practice           INTEGER NOT NULL CHECK (practice IN (0, 1)),
    state              TEXT    NOT NULL CHECK (state IN ('open', 'closing', 'closed')),
    rev                INTEGER NOT NULL CHECK (rev >= 1),
    close_price        TEXT,
    close_reason       TEXT    CHECK (close_reason IN (
        'stop', 'target', 'manual', 'exit_rule', 'foreign')),
    profit_cents       INTEGER,
    closed_at          INTEGER,
    closed_market_at   INTEGER,
    CHECK ((state = 'closed') = (closed_at IS NOT NULL)),
    CHECK ((state = 'closed') = (profit_cents IS NOT NULL))
);

CREATE INDEX positions_by_state ON positions (state, closed_at);
CREATE INDEX positions_by_venue_id ON positions (venue_position_id);

-- Fills of entries, as the venue answered them to us.
CREATE TABLE fills (
    deal_id           TEXT    PRIMARY KEY,
    intent_id         TEXT    NOT NULL REFERENCES order_intents (id),
    position_id       INTEGER NOT NULL REFERENCES positions (id),
    price             TEXT    NOT NULL,
    quantity          TEXT    NOT NULL,
    commission_cents  INTEGER NOT NULL,
    filled_at         INTEGER NOT NULL
);

CREATE INDEX fills_by_position ON fills (position_id);

-- The venue's own history, each deal once.
CREATE TABLE deals (
    venue_deal_id      INTEGER PRIMARY KEY,
    position_id        INTEGER REFERENCES positions (id),
    order_id           TEXT    NOT NULL,
    venue_position_id  TEXT    NOT NULL,
    client_id          TEXT,
    instrument         TEXT    NOT NULL,
    side               TEXT    NOT NULL CHECK (side IN ('buy', 'sell')),
    entry              TEXT    NOT NULL CHECK (entry IN ('in', 'out')),
    reason             TEXT,
    quantity           TEXT    NOT NULL,
    price              TEXT    NOT NULL,
    profit_cents       INTEGER NOT NULL,
    commission_cents   INTEGER NOT NULL,
    swap_cents         INTEGER NOT NULL,
    time               INTEGER NOT NULL,
    recorded_at        INTEGER NOT NULL
);

CREATE INDEX deals_by_position ON deals (position_id);
CREATE INDEX deals_by_venue_position ON deals (venue_position_id);

CREATE TABLE outbox (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    chat_id       INTEGER NOT NULL,
    key           TEXT    NOT NULL,
    topic         TEXT    NOT NULL,
    subject_id    INTEGER NOT NULL,
    priority      INTEGER NOT NULL,
    text          TEXT,
    time_to_live  INTEGER, -- microseconds
    created_at    INTEGER NOT NULL,
    expires_at    INTEGER,
    due_at        INTEGER NOT NULL,
    attempts      INTEGER NOT NULL DEFAULT 0,
    state         TEXT    NOT NULL DEFAULT 'waiting'
        CHECK (state IN ('waiting', 'sent', 'failed', 'expired')),
    message_id    INTEGER,
    error         TEXT,
    ended_at      INTEGER,
    UNIQUE (chat_id, key)
);

CREATE INDEX outbox_waiting ON outbox (priority, id) WHERE state = 'waiting';

CREATE TABLE audit (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    at       INTEGER NOT NULL,
    kind     TEXT    NOT NULL,
    subject  TEXT    NOT NULL,
    detail   TEXT    NOT NULL,
    user_id  INTEGER
);

CREATE TRIGGER audit_is_append_only BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;

CREATE TRIGGER audit_is_kept BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
