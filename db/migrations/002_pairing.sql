-- Pairing the first owner: the one code on offer (its hash only) and the tries that failed.

CREATE TABLE pairing_offer (
    id          INTEGER PRIMARY KEY CHECK (id = 1),
    code_hash   TEXT    NOT NULL CHECK (length(code_hash) = 64),
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL CHECK (expires_at > created_at)
);

CREATE TABLE pairing_tries (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    against  TEXT    NOT NULL, -- hash of the code that was on offer
    user_id  INTEGER NOT NULL,
    at       INTEGER NOT NULL
);
